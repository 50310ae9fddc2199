package bundle

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// VerifyOptions say how a bundle is verified. The zero value uses every
// processor and tells nobody.
type VerifyOptions struct {
	Parallel int
	Progress Progress
}

// Verify checks every byte of the archive behind the front: headers, padding
// and the end against what the inventory makes them, contents against their
// digests, and the images for being whole. It stops at the first bad byte,
// with a Refused error that names the entry.
func (b *Bundle) Verify(ctx context.Context, options VerifyOptions) error {
	progress := orSilent(options.Progress)
	progress.Total(b.size)
	if b.size != b.layout.size {
		return b.wrongSize(b.size)
	}
	progress.Done(b.layout.frontEnd() + trailerSize)
	workers := options.Parallel
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if err := b.verifyParts(ctx, workers, progress); err != nil {
		return err
	}
	trailer := make([]byte, trailerSize)
	if _, err := b.unverified.ReadAt(trailer, b.size-trailerSize); err != nil && err != io.EOF {
		return asRefusal("end of archive", err)
	}
	if !isBlank(trailer) {
		return refused("end of archive", "the two blocks that end the archive are not zeros")
	}
	return b.verifyGraph()
}

// verifyParts checks the parts on several workers. Of the errors met before
// all have stopped, the one nearest to the start of the archive is returned.
func (b *Bundle) verifyParts(ctx context.Context, workers int, progress Progress) error {
	order := make([]int, len(b.layout.entries))
	for i := range order {
		order[i] = i
	}
	// The largest first, so that the workers end together.
	slices.SortStableFunc(order, func(x, y int) int {
		return cmp.Compare(b.layout.entries[y].size, b.layout.entries[x].size)
	})
	parts := b.contents.entries
	var mu sync.Mutex
	var worst error
	worstAt := len(order)
	err := inParallel(ctx, workers, order, func(ctx context.Context, i int, buffer []byte) error {
		span := b.layout.entries[i]
		section := io.NewSectionReader(b.unverified, span.start, span.next()-span.start)
		err := b.verifyPart(ctx, parts[i], span, section, buffer, nil)
		if err != nil && !errors.Is(err, context.Canceled) {
			mu.Lock()
			if i < worstAt {
				worst, worstAt = err, i
			}
			mu.Unlock()
		}
		progress.Done(span.next() - span.start)
		return err
	})
	if worst != nil {
		return worst
	}
	return err
}

// verifyPart reads one part from its header to the end of its padding. What is
// read of its content is also written to keep, if that is given.
func (b *Bundle) verifyPart(ctx context.Context, entry Entry, span span, r io.Reader, buffer []byte, keep io.Writer) error {
	path := string(entry.Path)
	have := buffer[:len(span.header)]
	if _, err := io.ReadFull(r, have); err != nil {
		return asRefusal(path, err)
	}
	if !bytes.Equal(have, span.header) {
		return refused(path, "tar header is not what the inventory says")
	}
	sum := sha256.New()
	for left := span.size; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(r, buffer[:min(int64(len(buffer)), left)])
		if err != nil {
			return asRefusal(path, fmt.Errorf("content ends %s early: %w", fault.Counted(left-int64(n), "byte", "bytes"), noEOF(err)))
		}
		sum.Write(buffer[:n])
		if keep != nil {
			keep.Write(buffer[:n]) //nolint:errcheck // a bytes.Buffer
		}
		left -= int64(n)
	}
	if digest := manifests.DigestFromSum(sum.Sum(nil)); digest != entry.Digest {
		return refused(path, "content has digest %s, the inventory says %s", digest, entry.Digest)
	}
	padding := buffer[:paddingOf(span.size)]
	if _, err := io.ReadFull(r, padding); err != nil {
		return asRefusal(path, err)
	}
	if !isBlank(padding) {
		return refused(path, "padding behind the content is not zeros")
	}
	return nil
}

// verifyGraph checks that every image is whole, on manifests read anew: there
// are few bytes of them, and their digests are checked again. A delta has only
// some; its images are checked when it is applied.
func (b *Bundle) verifyGraph() error {
	if b.Delta != nil {
		return nil
	}
	g := newGraph(b.Inventory)
	for i, entry := range b.Inventory.Entries {
		if !g.wants(entry) {
			continue
		}
		if limit := g.limit(entry); entry.Size > limit {
			return refused(string(entry.Path), "manifest is larger than %s", manifests.Bytes(limit))
		}
		content := make([]byte, entry.Size)
		if _, err := b.unverified.ReadAt(content, b.layout.entries[i].content()); err != nil && err != io.EOF {
			return asRefusal(string(entry.Path), err)
		}
		if manifests.DigestOf(content) != entry.Digest {
			return refused(string(entry.Path), "content changed while it was verified")
		}
		if err := g.add(entry, content); err != nil {
			return refused(string(entry.Path), "%w", err)
		}
	}
	return g.complete()
}

func (b *Bundle) wrongSize(have int64) error {
	if have < b.layout.size {
		path := "end of archive"
		if at := slices.IndexFunc(b.layout.entries, func(s span) bool { return s.next() > have }); at >= 0 {
			path = string(b.layout.entries[at].path)
		}
		return refused(path, "the archive is cut short: it has %d bytes of %d", have, b.layout.size)
	}
	return refused("end of archive", "%s the end of the archive", fault.Counted(have-b.layout.size, "byte follows", "bytes follow"))
}

// VerifyStream verifies a bundle from a pipe, in one pass and with bounded
// memory, and gives what [Open] gives but for its contents.
func VerifyStream(ctx context.Context, reader io.Reader, trust Trust, options VerifyOptions) (*Bundle, error) {
	r := bufio.NewReaderSize(reader, copyBuffer)
	b, err := openFront(r, trust)
	if err != nil {
		return nil, err
	}
	b.size = b.layout.size
	progress := orSilent(options.Progress)
	progress.Total(b.size)
	progress.Done(b.layout.frontEnd())
	g := newGraph(b.Inventory)
	buffer := make([]byte, copyBuffer)
	for i, entry := range b.contents.entries {
		span := b.layout.entries[i]
		if err := b.streamPart(ctx, entry, span, r, buffer, g); err != nil {
			return nil, err
		}
		progress.Done(span.next() - span.start)
	}
	trailer := make([]byte, trailerSize)
	if _, err := io.ReadFull(r, trailer); err != nil {
		return nil, asRefusal("end of archive", err)
	}
	if !isBlank(trailer) {
		return nil, refused("end of archive", "the two blocks that end the archive are not zeros")
	}
	if _, err := r.ReadByte(); err == nil {
		return nil, refused("end of archive", "bytes follow the end of the archive")
	} else if !errors.Is(err, io.EOF) {
		return nil, asRefusal("end of archive", err)
	}
	if b.Delta == nil { // of a delta there is nothing to say: see verifyGraph
		if err := g.complete(); err != nil {
			return nil, err
		}
	}
	progress.Done(trailerSize)
	return b, nil
}

func (b *Bundle) streamPart(ctx context.Context, entry Entry, span span, r io.Reader, buffer []byte, g *graph) error {
	if b.Delta != nil || !g.wants(entry) {
		return b.verifyPart(ctx, entry, span, r, buffer, nil)
	}
	if limit := g.limit(entry); entry.Size > limit {
		return refused(string(entry.Path), "manifest is larger than %s", manifests.Bytes(limit))
	}
	var content bytes.Buffer
	if err := b.verifyPart(ctx, entry, span, r, buffer, &content); err != nil {
		return err
	}
	if err := g.add(entry, content.Bytes()); err != nil {
		return refused(string(entry.Path), "%w", err)
	}
	return nil
}
