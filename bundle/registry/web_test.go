package registry

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestPlainHTTPGetsNoCredentials(t *testing.T) {
	t.Parallel()
	client := newClient(t, Options{})
	for _, test := range []struct {
		resource Resource
		sent     bool
	}{
		{Resource{URL: "http://files.example.com/x"}, false},
		{Resource{URL: "http://files.example.com/x", Security: Security{PlainHTTP: true}}, true},
		{Resource{URL: "http://127.0.0.1:8080/x"}, true},
		{Resource{URL: "https://files.example.com/x"}, true},
	} {
		session, err := client.WebSession(t.Context(), test.resource)
		if err != nil {
			t.Fatal(err)
		}
		if _, sent := session.client.Transport.(*bound); sent != test.sent {
			t.Errorf("%+v: credentials are sent: %t, wanted %t", test.resource, sent, test.sent)
		}
	}
}

// TestRedirectsAreNotSaidAgain holds that what was signed for a redirect stands in no
// error, though the place that it leads to says it again.
func TestRedirectsAreNotSaidAgain(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("hunter2+", 40)
	for name, location := range map[string]string{
		"signed":         "/echo?X-Amz-Signature=hunter2hunter2",
		"escaped":        "/echo?sig=" + url.QueryEscape("hunter2/hunter2+="),
		"of two":         "/on?sig=hunter2&to=" + url.QueryEscape("/echo?first=hunter2&X-Goog-Signature=hunter2"),
		"user":           "http://me:hunter2@HOST/echo",
		"longer than is": "/echo?padding=" + strings.Repeat("x", 170) + "&sig=" + url.QueryEscape(long),
		"no URL":         "//me:hunter2@[::1/echo?sig=hunter2",
		"no escape":      "/echo%zz?sig=hunter2",
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			mux.HandleFunc("/x", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", strings.ReplaceAll(location, "HOST", r.Host))
				w.WriteHeader(http.StatusTemporaryRedirect)
			})
			mux.HandleFunc("/on", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", r.URL.Query().Get("to")+"&"+r.URL.Query().Encode())
				w.WriteHeader(http.StatusFound)
			})
			mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				said := fmt.Sprint("no ", r.URL.Query(), r.URL.RawQuery, r.Header["Authorization"])
				_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]string{"code": "DENIED", "message": said}}})
			})
			client := newClient(t, Options{})
			session, err := client.WebSession(t.Context(), Resource{URL: "http://" + serve(t, mux) + "/x"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = session.Do(t.Context(), http.MethodGet, "", nil, http.StatusOK)
			basic := base64.StdEncoding.EncodeToString([]byte("me:hunter2"))
			if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), basic) {
				t.Errorf("told %v", err)
			}
		})
	}
}
