package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestScopes has a registry with tokens write down what it is asked for.
func TestScopes(t *testing.T) {
	t.Parallel()
	const brig = "repository:wire/brig:"
	for name, test := range map[string]struct {
		access Access
		scopes []string
	}{
		"fetch":          {Access{}, []string{brig + "pull"}},
		"push":           {Access{Push: true}, []string{brig + "pull,push"}},
		"push and mount": {Access{Push: true, MountFrom: []string{"wire/base"}}, []string{brig + "pull,push", "repository:wire/base:pull"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked [][]string
			host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				scopes := r.URL.Query()["scope"]
				switch {
				case r.URL.Path == "/token":
					asked = append(asked, scopes)
					_ = json.NewEncoder(w).Encode(map[string]string{"token": "T-" + strings.Join(scopes, " ")})
				case r.Header.Get("Authorization") == "":
					w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, r.Host))
					w.WriteHeader(http.StatusUnauthorized)
				case r.Header.Get("Authorization") != "Bearer T-"+strings.Join(test.scopes, " "):
					w.WriteHeader(http.StatusForbidden)
				}
			}))
			client := newClient(t, Options{})
			for range 2 {
				session, err := client.Session(t.Context(), Repository{Registry: host, Name: "wire/brig"}, test.access)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := session.Read(t.Context(), "/tags/list", nil, 100); err != nil {
					t.Error(err)
				}
			}
			if len(asked) != 1 || !slices.Equal(asked[0], test.scopes) {
				t.Errorf("tokens were asked for %q, wanted one for %q", asked, test.scopes)
			}
		})
	}
}

// TestSessionsAreNotShared holds that nobody gets a session that may do more, or
// is less secure, than what was asked for.
func TestSessionsAreNotShared(t *testing.T) {
	t.Parallel()
	client := newClient(t, Options{})
	host := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	seen := map[*Session]int{}
	for i, wanted := range []struct {
		name     string
		security Security
		access   Access
	}{
		{"a", Security{}, Access{}},
		{"b", Security{}, Access{}},
		{"a", Security{PlainHTTP: true}, Access{}},
		{"a", Security{}, Access{Push: true}},
		{"a", Security{}, Access{Push: true, MountFrom: []string{"b"}}},
		{"a", Security{}, Access{Push: true, MountFrom: []string{"c"}}},
	} {
		session, err := client.Session(t.Context(), Repository{Registry: host, Name: wanted.name, Security: wanted.security}, wanted.access)
		if err != nil {
			t.Fatal(err)
		}
		if other, shared := seen[session]; shared {
			t.Errorf("session %d is the one of %d", i, other)
		}
		seen[session] = i
	}
}
