package registry

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

// proxyVariables sets all variables that name proxies, those that are not given to nothing.
func proxyVariables(t *testing.T, values map[string]string) {
	t.Helper()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"} {
		t.Setenv(name, values[name])
		t.Setenv(strings.ToLower(name), values[strings.ToLower(name)])
	}
}

// TestProxiesOfTheEnvironment holds which variables count for what, as docs/mirrors.md
// says it.
func TestProxiesOfTheEnvironment(t *testing.T) {
	for name, test := range map[string]struct {
		variables map[string]string
		asked     map[string]string // URL → proxy; "" for none
	}{
		"none": {nil, map[string]string{"https://h.example/": ""}},
		"by scheme": {map[string]string{"HTTPS_PROXY": "http://me:s3cret@p:3128", "HTTP_PROXY": "q:8080"}, map[string]string{
			"https://h.example/": "http://me:s3cret@p:3128", "http://h.example/": "http://q:8080",
			"https://localhost/": "", "https://127.0.0.1:5000/": "", "http://[::1]/": "",
		}},
		"for all": {map[string]string{"ALL_PROXY": "socks5://s:1080", "HTTP_PROXY": "http://q"}, map[string]string{
			"https://h.example/": "socks5://s:1080", "http://h.example/": "http://q",
		}},
		"lower case wins": {map[string]string{"HTTPS_PROXY": "http://upper", "https_proxy": "http://lower", "ALL_PROXY": "http://upper",
			"all_proxy": "http://all"}, map[string]string{"https://h.example/": "http://lower", "http://h.example/": "http://all"}},
		"exceptions": {map[string]string{"HTTPS_PROXY": "http://p",
			"NO_PROXY": "company.example,.only-below.example,10.0.0.0/8,fd00::/8,1.2.3.4,reg:5000"},
			map[string]string{
				"https://company.example/": "", "https://a.company.example/": "", "https://mycompany.example/": "http://p",
				"https://only-below.example/": "http://p", "https://a.only-below.example/": "", "https://10.9.8.7/": "",
				"https://11.1.1.1/":  "http://p",
				"https://[fd00::1]/": "", "https://1.2.3.4/": "", "https://reg:5000/": "", "https://reg/": "http://p",
			}},
		"all are exceptions": {map[string]string{"HTTPS_PROXY": "http://p", "no_proxy": "*"}, map[string]string{"https://h.example/": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			proxyVariables(t, test.variables)
			find, err := environmentProxies()
			if err != nil {
				t.Fatal(err)
			}
			for asked, want := range test.asked {
				parsed, err := url.Parse(asked)
				if err != nil {
					t.Fatal(err)
				}
				proxy, err := find(parsed)
				got := ""
				if proxy != nil {
					got = proxy.String()
				}
				if err != nil || got != want {
					t.Errorf("%s goes through %q, wanted %q, error %v", asked, got, want, err)
				}
			}
		})
	}
}

// TestNothingGoesPastAProxyByMistake holds that a variable that is no proxy's URL is an
// error, which does not tell its password.
func TestNothingGoesPastAProxyByMistake(t *testing.T) {
	for _, value := range []string{"http://me:hunter2#x@proxy:3128", "http://me:hunter2/x@proxy:3128", "ftp://proxy", "http://",
		"http://me:hunter2?@p", "://p", "http://me:hunter2@p:99999", "socks4://p:1"} {
		for _, name := range []string{"HTTPS_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
			proxyVariables(t, map[string]string{name: value})
			_, err := New(Options{})
			if fault.ExitCode(err) != int(fault.Usage) || strings.Contains(err.Error(), "hunter2") ||
				!strings.Contains(err.Error(), name) {
				t.Errorf("%s=%s: error is %v", name, value, err)
			}
		}
	}
}

// TestProxyThatRefuses asks a proxy that wants another login, does not let through, or
// is out of order: only the last is asked again.
func TestProxyThatRefuses(t *testing.T) {
	for status, test := range map[int]struct {
		says  string
		tries int32
	}{
		http.StatusProxyAuthRequired:  {"wants a login", 1},
		http.StatusForbidden:          {"does not let through to h.example:443", 1},
		http.StatusServiceUnavailable: {"Service Unavailable", MaxTries},
	} {
		var tries atomic.Int32
		proxy := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			tries.Add(1)
			w.WriteHeader(status)
		}))
		proxyVariables(t, map[string]string{"HTTPS_PROXY": "http://me:hunter2@" + proxy})
		client := newClient(t, Options{})
		session, err := client.WebSession(t.Context(), Resource{URL: "https://h.example/f"})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = session.Read(t.Context(), "", nil, 100)
		if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2") || tries.Load() != test.tries {
			t.Errorf("%d: error is %v after %d tries", status, err, tries.Load())
		}
	}
}
