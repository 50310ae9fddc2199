package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/islandbundle/island/internal/fixture"
)

// upstreamKey is where a script's upstream stands among its values.
type upstreamKey struct{}

// upstream is the world that a script's commands see, and what is wrong with it.
type upstream struct {
	server *fixture.Server

	mu       sync.Mutex
	requests []string
	spoil    *regexp.Regexp
	fault    fixture.Fault
	hold     *regexp.Regexp
	holding  chan struct{} // closed when the first answer is held back
	free     chan struct{} // closed when answers may go on
}

func upstreamOf(ts *testscript.TestScript) *upstream { return ts.Value(upstreamKey{}).(*upstream) }

// upstreamCommand serves a world of package fixture and writes release.yaml
// (unless the script has one) and mirrors.yaml for it. A second call puts
// another world in the place of the first.
//
//	-seed N            other content under the same names
//	-revision N        a later release of the same world
//	-bytes N           about so much in the images' layers, 1 MiB unless said
//	-every-platform    every image for linux/amd64 and linux/arm64
//	-build FILE        add charts and images for a Wire build.json
//	-password WORD     name the user "me" with this password in mirrors.yaml, and
//	                   for registries in Docker's credentials file
//	-images FILE       add images: a name a line, and platforms for an index
func upstreamCommand(ts *testscript.TestScript, neg bool, args []string) {
	var options fixture.Options
	flags := flag.NewFlagSet("upstream", flag.ContinueOnError)
	flags.Uint64Var(&options.Seed, "seed", 0, "")
	flags.IntVar(&options.Revision, "revision", 0, "")
	flags.Int64Var(&options.Bytes, "bytes", 1<<20, "")
	flags.BoolVar(&options.EveryPlatform, "every-platform", false, "")
	build := flags.String("build", "", "")
	images := flags.String("images", "", "")
	password := flags.String("password", "", "")
	ts.Check(flags.Parse(args))

	ctx := context.Background()
	world, err := worldOf(ctx, options, *build+*images != "")
	ts.Check(err)
	if *build != "" {
		ts.Check(world.AddBuildJSON(ctx, []byte(ts.ReadFile(*build))))
	}
	if *images != "" {
		ts.Check(addImages(ctx, world, ts.ReadFile(*images)))
	}
	u := upstreamOf(ts)
	if u.server != nil {
		ts.Check(u.server.Close())
	}
	u.server, err = world.Serve(ctx, fixture.ServeOptions{})
	ts.Check(err)
	ts.Defer(func() { _ = u.server.Close() })
	u.server.Fault(u.answer)
	ts.Setenv("UPSTREAM", u.server.Addr())
	if _, err := os.Stat(ts.MkAbs("release.yaml")); err != nil {
		ts.Check(os.WriteFile(ts.MkAbs("release.yaml"), world.ReleaseYAML(), 0o644))
	}
	mirrors := world.MirrorsYAML(u.server.Addr())
	if *password != "" {
		mirrors = bytes.ReplaceAll(mirrors, []byte("location: http://"), []byte("location: http://me:"+*password+"@"))
		logIn(ts, u.server.Addr(), *password)
	}
	ts.Check(os.WriteFile(ts.MkAbs("mirrors.yaml"), mirrors, 0o644))
}

// logIn does what docker login does.
func logIn(ts *testscript.TestScript, registry, password string) {
	secret := base64.StdEncoding.EncodeToString([]byte("me:" + password))
	config := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, registry, secret)
	ts.Check(os.MkdirAll(ts.MkAbs("docker"), 0o755))
	ts.Check(os.WriteFile(ts.MkAbs("docker/config.json"), []byte(config), 0o600))
	ts.Setenv("DOCKER_CONFIG", ts.MkAbs("docker"))
	ts.Setenv("SECRET", secret)
}

// worlds are those that nothing was added to: several scripts can look at one
// at once.
var worlds sync.Map // of func() (*fixture.World, error), by options

func worldOf(ctx context.Context, options fixture.Options, own bool) (*fixture.World, error) {
	if own {
		return fixture.New(ctx, options)
	}
	once, _ := worlds.LoadOrStore(fmt.Sprint(options), sync.OnceValues(func() (*fixture.World, error) {
		return fixture.New(ctx, options)
	}))
	return once.(func() (*fixture.World, error))()
}

func addImages(ctx context.Context, world *fixture.World, list string) error {
	for line := range strings.Lines(list) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if _, err := world.AddImage(ctx, words[0], fixture.ImageSpec{Index: words[1:]}); err != nil {
			return err
		}
	}
	return nil
}

// answer notes a request and says what goes wrong with it.
func (u *upstream) answer(r *http.Request) fixture.Fault {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.requests = append(u.requests, r.Method+" "+r.URL.Path)
	switch {
	case u.spoil != nil && u.spoil.MatchString(r.URL.Path):
		return u.fault
	case u.hold != nil && u.hold.MatchString(r.URL.Path):
		select {
		case <-u.holding:
		default:
			close(u.holding)
		}
		return fixture.Fault{Wait: u.free}
	}
	return fixture.Fault{}
}

// requestsCommand writes what upstream was asked since the last time, sorted.
func requestsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: requests FILE")
	}
	u := upstreamOf(ts)
	u.mu.Lock()
	defer u.mu.Unlock()
	sort.Strings(u.requests)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(u.requests, "\n")+"\n"), 0o644))
	u.requests = nil
}

// faultCommand spoils the answers to paths that match, until the next call;
// "fault none" ends it.
func faultCommand(ts *testscript.TestScript, neg bool, args []string) {
	u := upstreamOf(ts)
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(args) == 1 && args[0] == "none" {
		u.spoil = nil
		return
	}
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fault STATUS|cut|corrupt RE, or fault none")
	}
	u.spoil = regexp.MustCompile(args[1])
	switch args[0] {
	case "cut":
		u.fault = fixture.Fault{Cut: true, CutAt: 100}
	case "corrupt":
		u.fault = fixture.Fault{Corrupt: true, CorruptAt: 100}
	default:
		status, err := strconv.Atoi(args[0])
		ts.Check(err)
		u.fault = fixture.Fault{Status: status}
		if status == http.StatusUnauthorized { // RFC 9110, section 15.5.2: says how to log in
			u.fault.Header = http.Header{"WWW-Authenticate": {`Basic realm="upstream"`}}
		}
	}
}

// holdCommand holds the answers to paths that match back.
func holdCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hold RE")
	}
	u := upstreamOf(ts)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.hold, u.holding, u.free = regexp.MustCompile(args[0]), make(chan struct{}), make(chan struct{})
}

// heldCommand waits until an answer is held back.
func heldCommand(ts *testscript.TestScript, _ bool, _ []string) {
	select {
	case <-upstreamOf(ts).holding:
	case <-time.After(10 * time.Minute): // hangs
		ts.Fatalf("upstream was asked for nothing that is held back")
	}
}

// releaseCommand lets every answer that is held back go.
func releaseCommand(ts *testscript.TestScript, _ bool, _ []string) {
	u := upstreamOf(ts)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.hold = nil
	close(u.free)
}
