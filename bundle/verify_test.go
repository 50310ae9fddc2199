package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// tiny is the bundle that most tests spoil.
func tiny(t testing.TB) []byte {
	t.Helper()
	w := tinyWorld()
	return build(t, w.plan(t, options(t)), w.source())
}

func TestWholeBundleIsAccepted(t *testing.T) {
	t.Parallel()
	w := richWorld()
	for name, archive := range map[string][]byte{
		"tiny": tiny(t),
		"rich": build(t, w.plan(t, options(t)), w.source()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantAccepted(t, archive, trust(t, "sender"))
			wantAccepted(t, archive, trust(t, "other", "sender"))
			wantAccepted(t, archive, bundle.Trust{WithoutAnyCheck: true})
		})
	}
}

func TestWhoSigned(t *testing.T) {
	t.Parallel()
	archive := tiny(t)
	_, public := testKey(t, "sender")
	b, err := bundle.VerifyStream(t.Context(), iotest.OneByteReader(bytes.NewReader(archive)), trust(t, "other", "sender"),
		bundle.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(b.SignedBy) != 1 || b.SignedBy[0].Key.ID() != public.ID() || b.SignedBy[0].Slot != bundle.SignaturePath {
		t.Errorf("signed by %v, want %s", b.SignedBy, public)
	}
	inventory := spans(t, archive)[0]
	if want := manifests.DigestOf(archive[inventory.content:inventory.end()]); b.Digest != want {
		t.Errorf("identity is %s, want the digest %s of bundle.json", b.Digest, want)
	}
	if _, err := b.OpenEntry(bundle.ReadmePath); err == nil {
		t.Error("a stream that is gone gave an entry")
	}
}

// A flipped byte in the header, the content and the padding of every entry, by
// masks that turn digits into digits, white space into white space, and zero
// into anything, is refused with the name of the entry.
func TestFlippedByteInEachEntryIsRefusedByName(t *testing.T) {
	t.Parallel()
	w := tinyWorld()
	w.file(paxPath, 0o644, []byte("behind an extended header\n"))
	archive := build(t, w.plan(t, options(t)), w.source())
	keys := trust(t, "sender")
	space := []byte{' ' ^ '\t', ' ' ^ '\n', ' ' ^ '\r', '\n' ^ '\t', '\n' ^ '\r', 0x80}
	masks := map[string][]byte{
		"white space in the signature": space, "padding of the signature": space,
		"mode": {0x01, 0x07}, "content": {0x01, 0x20, 0xff}, "padding": {0x20, 0x30},
	}
	for i, span := range spans(t, archive) {
		positions := map[string]int64{
			"header": span.start, "mode": span.content - 512 + 104, "header's checksum": span.content - 512 + 150,
			"end of the header": span.content - 1, "content": span.content + span.size/2, "end of the content": span.end() - 1,
		}
		if span.content-span.start > 512 {
			positions["extended header's records"] = span.start + 520
			positions["extended header's padding"] = span.start + 1023
		}
		if span.next() > span.end() {
			positions["padding"] = span.end()
			positions["end of the padding"] = span.next() - 1
		}
		if span.path == bundle.SignaturePath {
			text := archive[span.content:span.end()]
			positions["white space in the signature"] = span.content + int64(bytes.Index(text, []byte("\n  \"veri")))
			positions["padding of the signature"] = span.end() - 100
		}
		names := []string{span.path}
		if i < 2 {
			// Either may be the one that was altered: they are bound to each other.
			names = []string{"bundle.json", "bundle.sigstore.json"}
		}
		for where, at := range positions {
			for _, mask := range append([]byte{0x01}, masks[where]...) {
				spoilt := bytes.Clone(archive)
				spoilt[at] ^= mask
				for way, verify := range ways {
					err := verify(t.Context(), spoilt, keys)
					var refusal *fault.Error
					if !errors.As(err, &refusal) || refusal.Kind != fault.Refused {
						t.Errorf("%s of %s, mask %#02x, by %s: %v", where, span.path, mask, way, err)
						continue
					}
					if refusal.Object != names[0] && refusal.Object != names[len(names)-1] {
						t.Errorf("%s of %s, mask %#02x, by %s: refused, but as %q: %v", where, span.path, mask, way, refusal.Object, err)
					}
				}
			}
		}
	}
	for _, at := range []int{len(archive) - 1, len(archive) - 512, len(archive) - 1024} {
		spoilt := bytes.Clone(archive)
		spoilt[at] ^= 0x20
		wantRefused(t, spoilt, keys, "end of archive")
	}
}

// Every byte of a bundle, flipped once, is refused.
func TestEveryFlippedByteIsRefused(t *testing.T) {
	t.Parallel()
	archive := tiny(t)
	keys := trust(t, "sender")
	front := spans(t, archive)[1].next()
	masks := rand.New(rand.NewPCG(1, 2))
	step := 1
	if testing.Short() {
		step = 7
	}
	flips := make(chan [2]int)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			spoilt := bytes.Clone(archive)
			// Open reads nothing behind the front, so one does for all flips there.
			opened, err := bundle.Open(bytes.NewReader(spoilt), int64(len(spoilt)), keys)
			if err != nil {
				t.Error(err)
			}
			for flip := range flips {
				at, mask := flip[0], byte(flip[1])
				spoilt[at] ^= mask
				if int64(at) < front {
					_, err = bundle.Open(bytes.NewReader(spoilt), int64(len(spoilt)), keys)
				} else {
					err = opened.Verify(t.Context(), bundle.VerifyOptions{Parallel: 1})
				}
				if fault.ExitCode(err) != int(fault.Refused) {
					t.Errorf("byte %d, mask %#02x: %v", at, mask, err)
				}
				if at%16 == 5 {
					if err := ways["stream"](t.Context(), spoilt, keys); fault.ExitCode(err) != int(fault.Refused) {
						t.Errorf("byte %d, mask %#02x, by stream: %v", at, mask, err)
					}
				}
				spoilt[at] ^= mask
			}
		})
	}
	for at := 0; at < len(archive); at += step {
		flips <- [2]int{at, 1 + masks.IntN(255)}
	}
	close(flips)
	group.Wait()
}

func TestTruncationIsRefused(t *testing.T) {
	t.Parallel()
	archive := tiny(t)
	keys := trust(t, "sender")
	entries := spans(t, archive)
	front := entries[1].next()
	for at := int64(0); at < int64(len(archive)); at += 512 {
		text := ""
		for _, span := range entries {
			if at > front && span.start <= at && at < span.next() {
				text = span.path
			}
		}
		if at >= entries[len(entries)-1].next() {
			text = "end of archive"
		}
		wantRefused(t, archive[:at], keys, text, "cut short")
	}
	for _, at := range []int{1, 511, 513, len(archive) - 1, len(archive) - 513} {
		wantRefused(t, archive[:at], keys, "cut short")
	}
}

func TestAppendedBytesAreRefused(t *testing.T) {
	t.Parallel()
	archive := tiny(t)
	for name, more := range map[string][]byte{
		"one zero": {0}, "one byte": {1}, "a block of zeros": make([]byte, 512), "a record of zeros": make([]byte, 10240), "itself": archive,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, append(bytes.Clone(archive), more...), trust(t, "sender"), "end of archive", "follow", " the end of the archive")
		})
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	w := tinyWorld()
	sign := func(names ...string) []byte {
		o := options(t)
		o.Signers = []string{"auditor"}
		plan, err := bundle.NewPlan(w.lock, o)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range names {
			if name == "" {
				continue
			}
			private, _ := testKey(t, name)
			if err := plan.Sign(bundle.Signer{Name: []string{"", "auditor"}[i], Key: private}); err != nil {
				t.Fatal(err)
			}
		}
		return build(t, plan, w.source())
	}
	unsigned, both, second := sign(), sign("sender", "auditor"), sign("", "auditor")
	spoilt := bytes.Clone(both)
	spoilt[spans(t, both)[2].end()-1] = ' '
	otherSpoilt := bytes.Clone(both)
	otherSpoilt[spans(t, both)[1].end()-1] = ' '
	garbage := bytes.Clone(second)
	garbage[spans(t, second)[1].content] = 'x'

	allow := func(trust bundle.Trust) bundle.Trust {
		trust.AllowUnsigned = true
		return trust
	}
	tests := []struct {
		name     string
		archive  []byte
		trust    bundle.Trust
		accepted bool
		kind     fault.Kind
		side     fault.Side
		text     string
	}{
		{"two signers, key of the first", both, trust(t, "sender"), true, 0, "", ""},
		{"two signers, key of the second", both, trust(t, "auditor"), true, 0, "", ""},
		{"two signers, neither's key", both, trust(t, "other"), false, fault.Refused, fault.Site, "another key"},
		{"two signers, no key", both, bundle.Trust{}, false, fault.Usage, fault.Here, "no public key"},
		{"two signers, no key, unsigned allowed", both, allow(bundle.Trust{}), false, fault.Usage, fault.Here, "no public key"},
		{"first has not signed yet, key of the second", second, trust(t, "auditor"), true, 0, "", ""},
		{"first has not signed yet, key of the first", second, trust(t, "sender"), false, fault.Refused, fault.Site, "not signed"},
		{"white space of the second altered, key of the first", spoilt, trust(t, "sender"), false, fault.Refused, fault.Site,
			"bundle.auditor.sigstore.json"},
		{"white space of the first altered, key of the second", otherSpoilt, trust(t, "auditor"), false, fault.Refused, fault.Site,
			"bundle.sigstore.json"},
		{"first is no JSON, key of the second", garbage, trust(t, "auditor"), false, fault.Refused, fault.Site, "bundle.sigstore.json"},
		{"unsigned, no key", unsigned, bundle.Trust{}, false, fault.Refused, fault.Site, "not signed"},
		{"unsigned, a key", unsigned, trust(t, "sender"), false, fault.Refused, fault.Site, "not signed"},
		{"unsigned, allowed", unsigned, allow(bundle.Trust{}), true, 0, "", ""},
		{"unsigned, allowed, a key", unsigned, allow(trust(t, "sender")), true, 0, "", ""},
		{"wrong key, unsigned allowed", both, allow(trust(t, "other")), false, fault.Refused, fault.Site, "another key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for way, verify := range ways {
				err := verify(t.Context(), test.archive, test.trust)
				if test.accepted {
					if err != nil {
						t.Errorf("%s: %v", way, err)
					}
					continue
				}
				wantFault(t, err, test.kind, test.side, test.text)
			}
		})
	}
}

// An inventory that was altered is not believed, however well the rest fits.
func TestAlteredInventoryIsNotBelieved(t *testing.T) {
	t.Parallel()
	archive := bytes.Replace(tiny(t), []byte(`"version": "2026.1"`), []byte(`"version": "2026.2"`), 1)
	wantRefused(t, archive, trust(t, "sender"), "bundle.sigstore.json", "altered")
}

// disk is an archive on a disk that gives errors behind an offset.
type disk struct {
	archive []byte
	good    int64
	err     error
}

func (d disk) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > d.good {
		return 0, d.err
	}
	return bytes.NewReader(d.archive).ReadAt(p, at)
}

// A disk or a pipe that fails says nothing about the bundle.
func TestFailingDiskIsNoRefusal(t *testing.T) {
	t.Parallel()
	archive := tiny(t)
	keys := trust(t, "sender")
	for _, cause := range []error{&fs.PathError{Op: "read", Path: "wire.tar", Err: syscall.EIO}, errors.New("connection reset")} {
		for _, good := range []int64{0, 700, spans(t, archive)[3].content, int64(len(archive)) - 2000, int64(len(archive)) - 1} {
			b, err := bundle.Open(disk{archive, good, cause}, int64(len(archive)), keys)
			if err == nil {
				err = b.Verify(t.Context(), bundle.VerifyOptions{})
			}
			if !errors.Is(err, cause) {
				t.Errorf("%v at %d is told as %v", cause, good, err)
			}
			wantFault(t, err, fault.Failure, fault.Here)
			stream := io.MultiReader(bytes.NewReader(archive[:good]), iotest.ErrReader(cause))
			_, err = bundle.VerifyStream(t.Context(), stream, keys, bundle.VerifyOptions{})
			wantFault(t, err, fault.Failure, fault.Here, cause.Error())
		}
	}
	stream := io.MultiReader(bytes.NewReader(archive), iotest.ErrReader(io.ErrClosedPipe))
	_, err := bundle.VerifyStream(t.Context(), stream, keys, bundle.VerifyOptions{})
	wantFault(t, err, fault.Failure, fault.Here, "closed pipe")
}

func TestVerifyStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	archive := tiny(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for way, verify := range ways {
		if err := verify(ctx, archive, trust(t, "sender")); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want %v", way, err, context.Canceled)
		}
	}
}

// meter is a Progress that adds up.
type meter struct {
	total, reused, done atomic.Int64
	early               atomic.Bool
}

func (m *meter) Total(n int64)  { m.total.Add(n) }
func (m *meter) Reused(n int64) { m.early.CompareAndSwap(false, m.total.Load() == 0); m.reused.Add(n) }
func (m *meter) Done(n int64)   { m.early.CompareAndSwap(false, m.total.Load() == 0); m.done.Add(n) }

func (m *meter) want(t *testing.T, size int) {
	t.Helper()
	if total, sum := m.total.Load(), m.done.Load()+m.reused.Load(); total != int64(size) || sum != total || m.early.Load() {
		t.Errorf("progress: total %d, done and reused %d, want %d; told before the total: %t", total, sum, size, m.early.Load())
	}
}

func TestVerifyTellsProgress(t *testing.T) {
	t.Parallel()
	archive := tiny(t)
	b, err := bundle.Open(bytes.NewReader(archive), int64(len(archive)), trust(t, "sender"))
	if err != nil {
		t.Fatal(err)
	}
	var file, stream meter
	if err := b.Verify(t.Context(), bundle.VerifyOptions{Progress: &file}); err != nil {
		t.Fatal(err)
	}
	file.want(t, len(archive))
	options := bundle.VerifyOptions{Progress: &stream}
	if _, err := bundle.VerifyStream(t.Context(), bytes.NewReader(archive), trust(t, "sender"), options); err != nil {
		t.Fatal(err)
	}
	stream.want(t, len(archive))
}

// counted counts what is read of an archive.
type counted struct {
	bytes.Reader
	read atomic.Int64
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.Reader.ReadAt(p, at)
	c.read.Add(int64(n))
	return n, err
}

// The whole archive is read once; what says how images hang together, and the
// buffer that the front was read with, twice.
func TestVerifyReadsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld("large")
	manifest, locked := w.manifest("amd64", noise(1, 20<<20), noise(2, 3<<20))
	w.image("quay.io/wire/large:1", manifest, locked)
	archive := build(t, w.plan(t, bundle.PlanOptions{}), w.source())
	r := &counted{Reader: *bytes.NewReader(archive)}
	b, err := bundle.Open(r, int64(len(archive)), trust(t, "sender"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Verify(t.Context(), bundle.VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	if twice := r.read.Load() - int64(len(archive)); twice < 0 || twice > 300<<10 {
		t.Errorf("%d bytes of %d were read twice", twice, len(archive))
	}
}

// What an error says first must not depend on how the workers happen to run.
func TestFirstBadEntryIsNamed(t *testing.T) {
	t.Parallel()
	archive := tiny(t)
	entries := spans(t, archive)
	spoilt := bytes.Clone(archive)
	for _, span := range entries[2:] {
		spoilt[span.content] ^= 1
	}
	_, err := bundle.VerifyStream(t.Context(), bytes.NewReader(spoilt), trust(t, "sender"), bundle.VerifyOptions{})
	wantFault(t, err, fault.Refused, fault.Site, entries[2].path)
	if strings.Contains(fmt.Sprint(err), entries[3].path) {
		t.Errorf("more than the first is named: %v", err)
	}
}
