package bundle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
)

// The variables that make this test program a build, to be killed.
const (
	childSource = "ISLAND_TEST_SOURCE" // URL
	childOut    = "ISLAND_TEST_OUT"

	childParallel = 3
)

func TestMain(m *testing.M) {
	if os.Getenv(childSource) == "" {
		// Tens of thousands of small verifications: their garbage is most of the work.
		debug.SetGCPercent(400)
		os.Exit(m.Run())
	}
	if err := fillAsChild(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fillAsChild builds the bundle of a lock that it reads from standard input.
func fillAsChild() error {
	var lock manifests.Lock
	if err := json.NewDecoder(os.Stdin).Decode(&lock); err != nil {
		return err
	}
	plan, err := bundle.NewPlan(&lock, bundle.PlanOptions{Tool: "island test"})
	if err != nil {
		return err
	}
	return bundle.Fill(context.Background(), plan, overHTTP(os.Getenv(childSource)), os.Getenv(childOut),
		bundle.FillOptions{Parallel: childParallel})
}

// overHTTP is a Source on a server that serves contents by digest.
type overHTTP string

func (s overHTTP) Open(ctx context.Context, content manifests.Content, _ int64) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, string(s)+"/"+content.Digest.Hex(), nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, errors.New(response.Status)
	}
	return response.Body, nil
}

// upstream serves a world's contents, counts, and stalls once it has given a
// number of bytes.
type upstream struct {
	content map[string][]byte
	stallAt int           // bytes, 0 for never
	stalled chan struct{} // closed when that many were given
	release chan struct{} // closed to end the requests that stall

	mu    sync.Mutex
	given int
	opens map[string]int
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	u.mu.Lock()
	u.opens[name]++
	u.mu.Unlock()
	for left := u.content[name]; len(left) > 0; {
		n := min(len(left), 16<<10)
		u.mu.Lock()
		before := u.given
		u.given += n
		after := u.given
		u.mu.Unlock()
		if u.stallAt > 0 && after >= u.stallAt {
			if before < u.stallAt {
				close(u.stalled)
			}
			<-u.release
			return
		}
		if _, err := w.Write(left[:n]); err != nil {
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		left = left[n:]
	}
}

// A build that is killed at any point, several times over, and run again gives
// the bytes of an uninterrupted one, and fetches no finished blob twice.
func TestKilledBuildGoesOn(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := richWorld()
	plan, err := bundle.NewPlan(w.lock, bundle.PlanOptions{Tool: "island test"})
	if err != nil {
		t.Fatal(err)
	}
	want := build(t, plan, w.source())
	lock := toJSON(w.lock)

	// run builds in a child process, kills it after some bytes, and gives what
	// it asked for.
	run := func(out string, killAfter int) map[string]int {
		u := &upstream{
			content: map[string][]byte{}, stallAt: killAfter, opens: map[string]int{},
			stalled: make(chan struct{}), release: make(chan struct{}),
		}
		for digest, content := range w.content {
			u.content[digest.Hex()] = content
		}
		server := httptest.NewServer(u)
		defer server.Close()
		defer close(u.release)
		child := exec.Command(program)
		child.Env = append(os.Environ(), childSource+"="+server.URL, childOut+"="+out, "NO_PROXY=*")
		child.Stdin = bytes.NewReader(lock)
		var output strings.Builder
		child.Stdout, child.Stderr = &output, &output
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- child.Wait() }()
		select {
		case <-u.stalled:
			if err := child.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
			<-ended
		case err := <-ended:
			if err != nil {
				t.Fatalf("build failed: %v\n%s", err, &output)
			}
			if killAfter > 0 {
				t.Fatalf("the build ended before %d bytes were fetched", killAfter)
			}
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		return u.opens
	}

	for _, kills := range [][]int{{1}, {100_000}, {350_000}, {480_000}, {535_000}, {250_000, 200_000}} {
		t.Run(fmt.Sprint(kills), func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out.tar")
			fetched := 0 // contents that were asked for and not cut off by a kill
			for _, killAfter := range append(kills, 0) {
				done := map[manifests.Digest]bool{}
				if partial, err := os.ReadFile(out + bundle.PartialSuffix); err == nil {
					done = finished(t, partial, want)
				}
				kept := 0
				for digest, content := range w.content {
					if len(content) > 0 && done[digest] {
						kept++
					}
				}
				if kept < fetched {
					t.Errorf("%d contents are whole in the partial file, want at least %d", kept, fetched)
				}
				opens := run(out, killAfter)
				for digest := range w.content {
					if n := opens[digest.Hex()]; n > 1 || (n > 0 && done[digest]) {
						t.Errorf("%s was finished (%t) and fetched %d times", digest, done[digest], n)
					}
				}
				// Each worker but for its last asks for no more before it is done.
				fetched = kept + max(0, len(opens)-childParallel)
			}
			if !bytes.Equal(read(t, out), want) {
				t.Error("the bundle has other bytes than an uninterrupted build's")
			}
			if kills[0] >= 480_000 && fetched == 0 {
				t.Error("nothing was finished before the kill: the test tests nothing")
			}
		})
	}
}
