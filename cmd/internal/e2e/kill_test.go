package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/islandbundle/island/internal/fixture"
)

// trap lets a build fetch until a number of requests, and then holds all
// answers back, so that the build can be killed at a point that is the same in
// every run.
type trap struct {
	after   int64         // bytes of body that are sent before an answer is held back
	reached chan struct{} // closed at the first answer that is held back
	mu      sync.Mutex
	left    int // requests until then
}

func newTrap(requests int, after int64) *trap {
	return &trap{left: requests, after: after, reached: make(chan struct{})}
}

func (tr *trap) fault(r *http.Request) fixture.Fault {
	if r.Method != http.MethodGet || r.URL.Path == "/v2/" {
		return fixture.Fault{}
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.left--
	if tr.left > 0 {
		return fixture.Fault{}
	}
	if tr.left == 0 {
		close(tr.reached)
	}
	return fixture.Fault{Wait: make(chan struct{}), WaitAt: tr.after}
}

// part is one entry of a bundle, from its header to the end of its padding.
type part struct {
	digest     string // of the content
	start, end int64
}

// partsOf reads where the entries of a bundle stand, with archive/tar.
func partsOf(t *testing.T, bundle []byte) []part {
	t.Helper()
	under := bytes.NewReader(bundle)
	reader := tar.NewReader(under)
	var parts []part
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		at := int64(len(bundle)) - int64(under.Len())
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if len(parts) > 0 {
			parts[len(parts)-1].end = at - 512
		}
		parts = append(parts, part{digest: digestOf(content), start: at - 512, end: at + (header.Size+511)/512*512})
	}
}

// killing is a lock, the bundle that it must become, and where from.
type killing struct {
	folder string
	world  *fixture.World
	server *fixture.Server
	want   []byte
	parts  []part
}

func newKilling(t *testing.T) *killing {
	t.Helper()
	world, err := fixture.New(t.Context(), fixture.Options{Bytes: 6 << 20})
	if err != nil {
		t.Fatal(err)
	}
	k := &killing{folder: t.TempDir(), world: world}
	k.server = serve(t, world, k.folder)
	write(t, filepath.Join(k.folder, "release.yaml"), world.ReleaseYAML())
	run(t, k.folder, island, "keygen")
	run(t, k.folder, island, "resolve", "-f", "release.yaml", "--mirrors", "mirrors.yaml", "--cache-dir", "cache")
	run(t, k.folder, island, k.build("want.tar", t.TempDir())...)
	if k.want, err = os.ReadFile(filepath.Join(k.folder, "want.tar")); err != nil {
		t.Fatal(err)
	}
	k.parts = partsOf(t, k.want)
	return k
}

// build returns the arguments of a build. The cache is empty each time, so that
// nothing but the partial bundle can save a request.
func (k *killing) build(out, cache string) []string {
	return []string{
		"build", "island.lock.json", "--mirrors", "mirrors.yaml", "--cache-dir", cache, "--key", "island.key", "-o", out, "-q",
	}
}

// kill builds until the trap and ends the process with SIGKILL.
func (k *killing) kill(t *testing.T, out string, tr *trap) {
	t.Helper()
	k.server.Reset()
	k.server.Fault(tr.fault)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, island, k.build(out, t.TempDir())...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = k.folder, &stderr
	cmd.Env = append(os.Environ(), "COSIGN_PASSWORD=correct horse")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-tr.reached:
	case err := <-ended:
		t.Fatalf("the build ended before it could be killed: %v\n%s", err, stderr.String())
	}
	if err := cmd.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the build was not killed: %v\n%s", err, stderr.String())
	}
	if _, err := os.Stat(filepath.Join(k.folder, out)); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("there is a bundle although its build was killed: %v", err)
	}
	k.server.Fault(nil)
}

// finished returns the digests of the content that a killed build has written
// whole: header, content and padding are what they will be in the end.
func (k *killing) finished(t *testing.T, out string) map[string]bool {
	t.Helper()
	partial, err := os.ReadFile(filepath.Join(k.folder, out+".partial"))
	if err != nil {
		t.Fatal(err)
	}
	finished := map[string]bool{}
	for _, p := range k.parts {
		if p.end <= int64(len(partial)) && bytes.Equal(partial[p.start:p.end], k.want[p.start:p.end]) {
			finished[p.digest] = true
		}
	}
	return finished
}

// fetchedAgain makes sure that the last build asked upstream for nothing that
// was finished before it. If it went to its end, all the rest was asked for
// once.
func (k *killing) fetchedAgain(t *testing.T, finished map[string]bool, toTheEnd bool) {
	t.Helper()
	for _, p := range k.parts {
		if _, fromUpstream := k.world.Blob(p.digest); !fromUpstream {
			continue
		}
		have := k.server.Count(p.digest).Gets
		switch {
		case finished[p.digest] && have > 0:
			t.Errorf("%s was finished, and was fetched %d times again", p.digest, have)
		case !finished[p.digest] && toTheEnd && have != 1:
			t.Errorf("%s was not finished, and was fetched %d times", p.digest, have)
		}
	}
}

// finish builds to the end and compares with an uninterrupted build.
func (k *killing) finish(t *testing.T, out string) {
	t.Helper()
	finished := k.finished(t, out)
	k.server.Reset()
	run(t, k.folder, island, k.build(out, t.TempDir())...)
	k.fetchedAgain(t, finished, true)
	have, err := os.ReadFile(filepath.Join(k.folder, out))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, k.want) {
		t.Error("the bundle is not what an uninterrupted build gives")
	}
	if _, err := os.Stat(filepath.Join(k.folder, out+".partial")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the partial file is still there: %v", err)
	}
}

// TestKilledBuildGoesOn kills the program with SIGKILL at several points of a
// build and runs it again.
func TestKilledBuildGoesOn(t *testing.T) {
	t.Parallel()
	k := newKilling(t)
	requests := 0
	for _, p := range k.parts {
		if _, fromUpstream := k.world.Blob(p.digest); fromUpstream {
			requests++
		}
	}
	for name, point := range map[string]struct {
		requests int
		after    int64
		atLeast  int // parts that must be finished by then: up to 4 are fetched at once
	}{
		"before the first byte":    {1, 0, 0},
		"in the largest blob":      {1, 50_000, 0},
		"after a quarter":          {requests / 4, 0, requests/4 - 5},
		"in a blob after a half":   {requests / 2, 100, requests/2 - 5},
		"after three quarters":     {requests * 3 / 4, 0, requests*3/4 - 5},
		"before the last blob":     {requests, 0, requests - 5},
		"in the last of the blobs": {requests, 100, requests - 5},
	} {
		t.Run(name, func(t *testing.T) { // one after the other: they share the server's counts
			out := strings.ReplaceAll(name, " ", "-") + ".tar"
			k.kill(t, out, newTrap(point.requests, point.after))
			if have := len(k.finished(t, out)); have < point.atLeast {
				t.Errorf("only %d parts are finished, want %d at least", have, point.atLeast)
			}
			k.finish(t, out)
		})
	}
	t.Run("again and again", func(t *testing.T) {
		const out = "often.tar"
		before := map[string]bool{}
		for range 4 {
			k.kill(t, out, newTrap(requests/6, 100))
			k.fetchedAgain(t, before, false)
			now := k.finished(t, out)
			if len(now) <= len(before) {
				t.Errorf("no progress: %d parts are finished, %d were before", len(now), len(before))
			}
			before = now
		}
		k.finish(t, out)
	})
}
