package bundle

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// PartialSuffix ends the name of a bundle that is still being filled.
const PartialSuffix = ".partial"

// copyBuffer is how much is read, hashed and written at a time: large enough
// that system calls do not count, small enough to stay in the processor's cache.
const copyBuffer = 256 << 10

// FillOptions say how a plan becomes a file. The zero value fetches twice as
// many parts at once as there are processors, and tells nobody.
type FillOptions struct {
	Parallel int      // parts fetched at once
	Progress Progress // told in bytes of the archive
	Replace  bool     // an existing file of the final name may be replaced
}

// Fill fetches every part of a plan and writes the bundle. Until it is whole
// the file is called out + [PartialSuffix]; an interrupted run leaves that
// file, and the next run for the same plan fetches only what it lacks.
//
// Every byte is written once, to its final place. Fill refuses to start when
// another build writes the same file, or when the disk has too little room.
func Fill(ctx context.Context, plan *Plan, source Source, out string, options FillOptions) error {
	if err := MayCreate(out, options.Replace); err != nil {
		return err
	}
	partial, err := openPartial(out + PartialSuffix)
	if err != nil {
		return err
	}
	defer closePartial(partial)
	f := &filler{
		plan: plan, source: source, file: partial,
		progress: orSilent(options.Progress),
		parallel: options.Parallel,
	}
	if f.parallel <= 0 {
		f.parallel = 2 * runtime.GOMAXPROCS(0)
	}
	if err := f.fill(ctx); err != nil {
		return onDisk(err, out+PartialSuffix)
	}
	return onDisk(f.finish(out, options.Replace), out)
}

// MayCreate reports why a bundle may not be written under a name: something has it
// already, and may not be replaced. [Fill] asks the same; whoever has much to do
// before that asks first.
func MayCreate(out string, replace bool) error {
	info, err := os.Lstat(out)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fault.Explain(err, fault.Usage, fault.Here, "", "choose a name below a folder that can be looked into")
	case !info.Mode().IsRegular():
		return fault.New(fault.Usage, fault.Here, out,
			"name a file that is not there yet: a bundle is not written through links, pipes and devices", "output is not a regular file")
	case !replace:
		return fault.New(fault.Usage, fault.Here, out, "remove it, choose another name, or say --force", "output exists already")
	}
	return nil
}

type filler struct {
	plan     *Plan
	source   Source
	file     *os.File
	progress Progress
	parallel int
}

func (f *filler) fill(ctx context.Context) error {
	done, err := f.found(ctx)
	if err != nil {
		return err
	}
	if err := f.reserve(); err != nil {
		return err
	}
	if err := f.writeFront(); err != nil {
		return err
	}
	var missing []int
	for i := range f.plan.parts {
		if !done[i] {
			missing = append(missing, i)
		}
	}
	// The largest first, so that no long transfer is left alone at the end.
	slices.SortStableFunc(missing, func(a, b int) int {
		return cmp.Compare(f.plan.parts[b].entry.Size, f.plan.parts[a].entry.Size)
	})
	if err := inParallel(ctx, f.parallel, missing, f.writePart); err != nil {
		return err
	}
	trailer := make([]byte, trailerSize)
	if _, err = f.file.WriteAt(trailer, f.plan.layout.size-trailerSize); err != nil {
		return err
	}
	f.progress.Done(trailerSize)
	return f.plan.filled(f.file).verifyGraph()
}

// found reports which parts an earlier run for the same plan has finished. A
// file for another plan is emptied: its parts stand elsewhere.
func (f *filler) found(ctx context.Context) ([]bool, error) {
	done := make([]bool, len(f.plan.parts))
	f.progress.Total(f.plan.layout.size)
	if !f.samePlan() {
		return done, f.file.Truncate(0)
	}
	var claimed []int
	for i, span := range f.plan.layout.entries {
		if f.matches(span.header, span.start) {
			claimed = append(claimed, i)
		}
	}
	err := inParallel(ctx, runtime.GOMAXPROCS(0), claimed, func(ctx context.Context, i int, buffer []byte) error {
		span := f.plan.layout.entries[i]
		digest, err := hashSection(ctx, f.file, span, buffer)
		if err == nil && digest == f.plan.parts[i].entry.Digest && f.matches(make([]byte, span.next()-span.end()), span.end()) {
			done[i] = true
			f.progress.Reused(span.next() - span.start)
		}
		return ctx.Err()
	})
	return done, err
}

func (f *filler) samePlan() bool {
	front := f.plan.layout.front[0]
	return f.matches(front.header, front.start) && f.matches(f.plan.encoded, front.content())
}

// matches reports whether the file has these bytes at an offset.
func (f *filler) matches(want []byte, offset int64) bool {
	have := make([]byte, len(want))
	_, err := f.file.ReadAt(have, offset)
	return err == nil && string(have) == string(want)
}

// reserve makes sure, before the first byte is fetched, that the whole bundle
// has room on the disk, and that the disk takes files of that size.
func (f *filler) reserve() error {
	if limit := largestFile(f.file); f.plan.layout.size > limit.bytes {
		return fault.New(fault.Failure, fault.Here, f.file.Name(), limit.hint, "bundle has %d bytes (%s), and %s takes at most %d bytes a file",
			f.plan.layout.size, manifests.Bytes(f.plan.layout.size), limit.whose, limit.bytes)
	}
	need := f.plan.layout.size + f.plan.scratchRoom(f.parallel)
	have, free, err := diskRoom(f.file)
	if err != nil {
		return err
	}
	if need-have > free {
		return fault.New(fault.Failure, fault.Here, f.file.Name(), "free some, or write to another disk with -o",
			"disk has too little room: %d bytes (%s) are needed, %d bytes (%s) are free",
			need-have, manifests.Bytes(need-have), free, manifests.Bytes(free))
	}
	return allocate(f.file, f.plan.layout.size)
}

// writeFront writes what is signed and the signatures, bundle.json last: it is
// by that entry that the next run knows what the file is for.
func (f *filler) writeFront() error {
	contents := append([][]byte{f.plan.encoded}, f.plan.slots...)
	if f.plan.delta != nil {
		contents = append(append(contents, f.plan.encodedDelta), f.plan.deltaSlots...)
	}
	for i := len(contents) - 1; i >= 0; i-- {
		span := f.plan.layout.front[i]
		whole := append(slices.Clone(span.header), contents[i]...)
		whole = append(whole, make([]byte, paddingOf(span.size))...)
		if _, err := f.file.WriteAt(whole, span.start); err != nil {
			return err
		}
		f.progress.Done(int64(len(whole)))
	}
	return nil
}

// writePart writes one part: content, padding, and the header last, as the
// mark that the part is whole.
func (f *filler) writePart(ctx context.Context, i int, buffer []byte) error {
	p, span := f.plan.parts[i], f.plan.layout.entries[i]
	var err error
	switch {
	case p.text != nil:
		_, err = f.file.WriteAt(p.text, span.content())
		f.progress.Done(span.size)
	case span.size > 0:
		err = f.fetch(ctx, p, span, buffer)
	case p.entry.Digest != manifests.DigestOf(nil):
		err = p.altered("is empty by its size and not by its digest %s", p.entry.Digest)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.entry.Path, err)
	}
	if _, err := f.file.WriteAt(make([]byte, span.next()-span.end()), span.end()); err != nil {
		return err
	}
	if _, err := f.file.WriteAt(span.header, span.start); err != nil {
		return err
	}
	f.progress.Done(span.next() - span.start - span.size)
	startWriteback(f.file, span.start, span.next()-span.start)
	return nil
}

// fetch copies a part's content from its source to its place, and hashes it on
// the way, unless the source does.
func (f *filler) fetch(ctx context.Context, p part, span span, buffer []byte) error {
	reader, err := p.open(ctx, f.source, filepath.Dir(f.file.Name()))
	if err != nil {
		return err
	}
	defer reader.Close()
	if copied, err := f.copySection(ctx, reader, p, span, buffer); copied || err != nil {
		return err
	}
	from, checked := reader.(*checkedReader)
	checked = checked && from.entry.Digest == p.entry.Digest
	sum := sha256.New()
	at := int64(0)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := reader.Read(buffer)
		if int64(n) > span.size-at {
			return p.altered("is longer than the %d bytes that were planned", span.size)
		}
		if !checked {
			sum.Write(buffer[:n])
		}
		if _, err := f.file.WriteAt(buffer[:n], span.content()+at); err != nil {
			return err
		}
		at += int64(n)
		f.progress.Done(int64(n))
		if err == io.EOF {
			break
		}
		if err != nil {
			return p.explain(err)
		}
	}
	if at != span.size {
		return p.altered("ends after %d bytes, %d were planned", at, span.size)
	}
	if digest := manifests.DigestFromSum(sum.Sum(nil)); !checked && digest != p.entry.Digest {
		return p.altered("has digest %s, planned was %s", digest, p.entry.Digest)
	}
	return nil
}

// copySection lets the kernel copy content that stands in another archive, and
// hashes what has arrived. It tells whether it could.
func (f *filler) copySection(ctx context.Context, reader io.Reader, p part, span span, buffer []byte) (bool, error) {
	standing, ok := reader.(interface{ where() (section, bool) })
	if !ok {
		return false, nil
	}
	from, untouched := standing.where()
	file, ok := from.reader.(*os.File)
	if !ok || !untouched || !copyRange(f.file, span.content(), file, from.offset, span.size) {
		return false, nil
	}
	digest, err := hashSection(ctx, f.file, span, buffer)
	if err == nil && digest != p.entry.Digest {
		err = refused(string(p.entry.Path), "content in %s has digest %s, the inventory says %s", file.Name(), digest, p.entry.Digest)
	}
	f.progress.Done(span.size)
	return true, err
}

// explain words an error of reading what a part is filled from.
func (p part) explain(err error) error {
	if p.rebuilt != nil {
		return p.rebuilt.explain(err)
	}
	return err
}

func (p part) altered(format string, args ...any) error {
	if p.rebuilt != nil {
		return refused(p.rebuilt.patch.URL, "content of %s "+format, append([]any{p.entry.Path}, args...)...)
	}
	if p.file != "" {
		return fault.New(fault.Failure, fault.Here, p.file, "let it be while the bundle is built, and build again",
			"content of %s "+format, append([]any{p.entry.Path}, args...)...)
	}
	origin := cmp.Or(p.content.Repository, p.content.URL)
	return fault.New(fault.Failure, fault.Upstream, origin, "it changed since it was locked; resolve again if that is right",
		"content of %s "+format, append([]any{p.entry.Path}, args...)...)
}

// finish makes the file durable and gives it its final name.
func (f *filler) finish(out string, replace bool) error {
	if err := f.file.Sync(); err != nil {
		return err
	}
	if err := MayCreate(out, replace); err != nil {
		return err
	}
	if err := os.Rename(f.file.Name(), out); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(out))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// inParallel does a job for each index on a number of workers, each of which
// has a buffer of its own. The first error cancels the others and is returned.
func inParallel(ctx context.Context, workers int, indexes []int, job func(ctx context.Context, i int, buffer []byte) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var group sync.WaitGroup
	for range min(workers, len(indexes)) {
		group.Go(func() {
			buffer := make([]byte, copyBuffer)
			for i := range next {
				if ctx.Err() != nil {
					continue
				}
				if err := job(ctx, i, buffer); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, i := range indexes {
		next <- i
	}
	close(next)
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// hashSection hashes an entry's content where it stands.
func hashSection(ctx context.Context, r io.ReaderAt, span span, buffer []byte) (manifests.Digest, error) {
	sum := sha256.New()
	for at := int64(0); at < span.size; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := r.ReadAt(buffer[:min(int64(len(buffer)), span.size-at)], span.content()+at)
		sum.Write(buffer[:n])
		at += int64(n)
		if err != nil && (err != io.EOF || at < span.size) {
			return "", err
		}
	}
	return manifests.DigestFromSum(sum.Sum(nil)), nil
}
