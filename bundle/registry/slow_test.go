package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// drip sends the head of a long answer, and then a byte now and then for ever.
func drip(pause time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		for {
			if _, err := w.Write([]byte{'x'}); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(pause):
			case <-r.Context().Done():
				return
			}
		}
	}
}

// never answers at all.
func never(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func outOfOrder(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }

// listens takes connections and says nothing, in a language that is no HTTP either.
func listens(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = connection.Close() })
		}
	}()
	return listener.Addr().String()
}

// TestSlowHostsAreBrokenOff holds that a host that is silent or too slow costs three
// windows, and that the error names it, what it was asked for, and the rate.
func TestSlowHostsAreBrokenOff(t *testing.T) {
	t.Parallel()
	const window = 300 * time.Millisecond
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"silent after connecting": {never, "was silent for 300ms"},
		"silent after the head": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, "was silent for 300ms"},
		"drip":               {drip(20 * time.Millisecond), "which is slower than 1.00 KiB a second"},
		"drip of small bits": {func(w http.ResponseWriter, r *http.Request) { drip(5*time.Millisecond)(w, r) }, "slower than"},
		"redirect to a silent host": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/x" {
				http.Redirect(w, r, "/never", http.StatusFound)
				return
			}
			<-r.Context().Done()
		}, "was silent for 300ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/x" || name != "redirect to a silent host" {
					asked.Add(1)
				}
				test.handler(w, r)
			}))
			var told notes
			client := newClient(t, Options{Stall: window, RateWindow: window, Log: told.add})
			session, err := client.WebSession(t.Context(), Resource{URL: "http://" + host + "/x"})
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = session.Read(t.Context(), "", nil, 1<<20)
			if err == nil || !strings.Contains(err.Error(), host) || !strings.Contains(err.Error(), test.says) ||
				!TooSlow(err) || !Unavailable(err) {
				t.Errorf("error is %v, wanted %q and %s", err, test.says, host)
			}
			if n := asked.Load(); n != MaxTries/2 {
				t.Errorf("asked %d times, wanted %d", n, MaxTries/2)
			}
			told.want(t, "try 2 of 3", "try 3 of 3")
		})
	}
}

// notes are what was told while something was tried anew.
type notes struct {
	mu   sync.Mutex
	list []string
}

func (n *notes) add(message string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, message)
}

// want demands that so much was told, and each text in its turn.
func (n *notes) want(t *testing.T, texts ...string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.list) != len(texts) {
		t.Fatalf("told %q, wanted %q", n.list, texts)
	}
	for i, text := range texts {
		if !strings.Contains(n.list[i], text) {
			t.Errorf("told %q, wanted %q", n.list[i], text)
		}
	}
}

// TestTriesAreCountedAsTheyAre holds that the number of tries told is the one that is
// made, where some failures count for more than others.
func TestTriesAreCountedAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		silent []int // which tries are met with silence; the others with 503
		told   []string
	}{
		"out of order":              {nil, []string{"try 2 of 6", "try 3 of 6", "try 4 of 6", "try 5 of 6", "try 6 of 6"}},
		"out of order, then silent": {[]int{2}, []string{"try 2 of 6", "try 3 of 4", "try 4 of 5", "try 5 of 5"}},
		"silent at the end":         {[]int{5}, []string{"try 2 of 6", "try 3 of 6", "try 4 of 6", "try 5 of 6"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if slices.Contains(test.silent, int(asked.Add(1))) {
					never(w, r)
				}
				outOfOrder(w, r)
			}))
			var told notes
			client := newClient(t, Options{Stall: 300 * time.Millisecond, Log: told.add})
			session, err := client.WebSession(t.Context(), Resource{URL: "http://" + host + "/x"})
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := session.Read(t.Context(), "", nil, 1<<20); err == nil {
				t.Error("what never came was read")
			}
			told.want(t, test.told...)
			if n := int(asked.Load()); n != len(test.told)+1 {
				t.Errorf("asked %d times, %d are told", n, len(test.told)+1)
			}
		})
	}
}

// TestPatienceEnds holds that nothing is waited for longer than patience says, whatever
// it is that does not come, and that what is waited for is told.
func TestPatienceEnds(t *testing.T) {
	const patience = 500 * time.Millisecond
	home := credentialFolder(t)
	web := func(ctx context.Context, client *Client, url string) error {
		session, err := client.WebSession(ctx, Resource{URL: url})
		if err == nil {
			_, _, err = session.Read(ctx, "", nil, 1<<20)
		}
		return err
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		url     string // for WebSession; else a registry is asked
		says    string
	}{
		"silent server":       {never, "http://HOST/f?token=s3cret", "waited for http://HOST/f"},
		"silent TLS":          {nil, "https://HOST/f", "waited for https://HOST/f"},
		"drip":                {drip(10 * time.Millisecond), "http://HOST/f", "waited for http://HOST/f"},
		"out of order":        {outOfOrder, "http://HOST/f", "(503"},
		"silent registry":     {never, "", "waited for http"},
		"silent token server": {tokensAt(never), "", "waited for http://HOST/token"},
		"slow token server":   {tokensAt(drip(10 * time.Millisecond)), "", "waited for http://HOST/token"},
		"slow helper":         {tokensAt(nil), "", "waited for credentials for HOST"},
	} {
		t.Run(name, func(t *testing.T) {
			host := listens(t)
			if test.handler != nil {
				host = serve(t, test.handler)
			}
			options := Options{Patience: patience, Wait: byTheClock}
			if name == "slow helper" {
				writeFile(t, filepath.Join(home, ".docker/config.json"), `{"credHelpers": {"`+host+`": "hangs"}}`, 0o600)
			} else {
				options.Keychain = me{}
			}
			client, err := New(options)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			began := time.Now()
			if test.url != "" {
				err = web(t.Context(), client, strings.ReplaceAll(test.url, "HOST", host))
			} else {
				err = readRepository(t, client, host, "wire/brig")
			}
			var impatient *PatienceError
			says := strings.ReplaceAll(test.says, "HOST", host)
			if !errors.As(err, &impatient) || Unavailable(err) || !strings.Contains(err.Error(), "nothing was finished for 500ms") ||
				!strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("error is %v, wanted %q", err, says)
			}
			if took := time.Since(began); took > 30*time.Second { // what a stall, a handshake or a helper would take
				t.Errorf("took %s", took)
			}
			if err := web(t.Context(), client, "http://"+host+"/other"); !errors.As(err, &impatient) {
				t.Errorf("after the end of patience: %v", err)
			}
		})
	}
}

// tokensAt is a registry that wants tokens, of a server that behaves so.
func tokensAt(token http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" && token != nil {
			token(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, r.Host))
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// TestPatienceCountsWhatIsFinished holds that nobody loses patience while something
// gets finished: one large answer bit by bit, many small ones, and one beside another
// that is slow.
func TestPatienceCountsWhatIsFinished(t *testing.T) {
	t.Parallel()
	const patience = time.Second
	steady := func(w http.ResponseWriter, r *http.Request) { // 20 KB/s, for 3 s
		for range 60 {
			_, _ = w.Write(make([]byte, 1000))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(50 * time.Millisecond)
		}
	}
	read := func(client *Client, host, path, method string) error {
		session, err := client.WebSession(t.Context(), Resource{URL: "http://" + host + path})
		if err != nil {
			return err
		}
		response, err := session.Do(t.Context(), method, "", nil, http.StatusOK)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if method == http.MethodGet { // nobody reads what a HEAD has none of
			_, err = io.Copy(io.Discard, response.Body)
		}
		return err
	}
	t.Run("one that is large", func(t *testing.T) {
		t.Parallel()
		if err := read(newClient(t, Options{Patience: patience}), serve(t, http.HandlerFunc(steady)), "/", http.MethodGet); err != nil {
			t.Error(err)
		}
	})
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		t.Run("many small ones by "+method, func(t *testing.T) {
			t.Parallel()
			host := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(200 * time.Millisecond) }))
			client := newClient(t, Options{Patience: patience})
			for i := range 10 {
				if err := read(client, host, fmt.Sprint("/", i), method); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	t.Run("what the program does by itself", func(t *testing.T) {
		t.Parallel()
		w := newWaits(10*time.Millisecond, 1024)
		for range 3 {
			one := &wait{what: "x", cancel: func(error) {}}
			if err := w.begin(one); err != nil {
				t.Fatal(err)
			}
			w.finished()
			w.end(one)
			time.Sleep(30 * time.Millisecond)
		}
	})
}

// TestRateIsFair judges transfers on lines of every speed, by a clock that the test sets.
func TestRateIsFair(t *testing.T) {
	t.Parallel()
	const window, least = time.Minute, 1024
	type transfer struct{ perSecond, others, allOthers int64 } // of the same host; of all hosts
	for name, test := range map[string]struct {
		transfer
		transfers, everywhere int64 // under way, this one included
		slow                  bool
	}{
		"2 KiB/s, for hours":                       {transfer{2048, 0, 0}, 1, 1, false},
		"just above":                               {transfer{1024, 0, 0}, 1, 1, false},
		"just below":                               {transfer{1000, 0, 0}, 1, 1, true},
		"drip alone":                               {transfer{1, 0, 0}, 1, 1, true},
		"8 on a line of 4 KiB/s":                   {transfer{512, 3584, 3584}, 8, 8, false},
		"8 that share it unevenly":                 {transfer{200, 3896, 3896}, 8, 8, false},
		"8 of 8 hosts on a line of 4 KiB/s":        {transfer{512, 0, 3584}, 1, 8, false},
		"drip beside fast ones of the host":        {transfer{1, 1 << 20, 1 << 20}, 4, 8, true},
		"drip beside fast ones of others":          {transfer{1, 0, 1 << 20}, 1, 8, true},
		"8 drips of one host":                      {transfer{1, 7, 7}, 8, 8, true},
		"4 of a slow host beside a fast one":       {transfer{512, 1536, 1 << 20}, 4, 8, false},
		"half a KiB/s beside 1 MiB/s of the host":  {transfer{512, 1 << 20, 1 << 20}, 2, 2, true},
		"8 on a line that is slower than one's is": {transfer{100, 700, 700}, 8, 8, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host, all := &line{}, &line{}
			m := newMeter("h", least, window, host, all)
			host.transfers.Store(test.transfers)
			all.transfers.Store(test.everywhere)
			m.began = time.Now().Add(-window)
			host.bytes.Add(test.others * 60)
			all.bytes.Add(test.allOthers * 60)
			err := m.add(int(test.perSecond*60), window)
			if (err != nil) != test.slow {
				t.Errorf("error is %v, wanted one: %t", err, test.slow)
			}
		})
	}
	if err := newMeter("h", 0, window).add(1, time.Hour); err != nil {
		t.Errorf("any rate will do: %v", err)
	}
}

// TestParallelTransfersOnASlowLine fetches through a line of a few KiB a second that
// all share: each gets less than is asked of one, and none is broken off.
func TestParallelTransfersOnASlowLine(t *testing.T) {
	t.Parallel()
	tokens := make(chan struct{}) // 100 bytes each
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go func() {
		for {
			select {
			case tokens <- struct{}{}:
				time.Sleep(10 * time.Millisecond) // 10 KB/s at most
			case <-stop:
				return
			}
		}
	}()
	var asked atomic.Int32
	host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		for range 20 {
			<-tokens
			_, _ = w.Write(make([]byte, 100))
			_ = http.NewResponseController(w).Flush()
		}
	}))
	client := newClient(t, Options{PerHost: 8, Total: 8, MinRate: 2048, RateWindow: 300 * time.Millisecond})
	failed := make(chan error)
	for range 8 {
		go func() {
			session, err := client.WebSession(t.Context(), Resource{URL: "http://" + host + "/"})
			if err == nil {
				_, _, err = session.Read(t.Context(), "", nil, 1<<20)
			}
			failed <- err
		}()
	}
	for range 8 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

// TestHostThatWakesUp holds that a host which takes a while to wake up is not given up.
func TestHostThatWakesUp(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 3 {
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, "awake")
	}))
	defer server.Close()
	client := newClient(t, Options{Stall: 300 * time.Millisecond})
	session, err := client.WebSession(t.Context(), Resource{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if data, _, err := session.Read(t.Context(), "", nil, 100); err != nil || string(data) != "awake" {
		t.Errorf("read %q, error %v", data, err)
	}
}
