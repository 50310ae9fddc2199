package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// helpers are programs that Docker's and Podman's files name, and how they behave.
// $1 is what is asked of them; none of what they print may be told.
var helpers = map[string]string{
	"works":     `echo '{"ServerURL":"x","Username":"me","Secret":"s3cret"}'`,
	"token":     `echo '{"Username":"<token>","Secret":"s3cret"}'`,
	"empty":     `echo 'credentials not found in native keychain'; exit 1`,
	"fails":     `echo 'locked, and the passphrase is s3cret'; exit 3`,
	"hangs":     `sleep 60`,
	"leaves":    `sleep 60 & sleep 60`,
	"malformed": `echo '{"Username":"me","Secret":"s3cret'`,
	"chatty":    `yes s3cret`,
}

// credentialFolder makes a home in which nothing is known but some helpers.
func credentialFolder(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	for variable, value := range map[string]string{
		"HOME": home, "DOCKER_CONFIG": filepath.Join(home, ".docker"), "XDG_RUNTIME_DIR": filepath.Join(home, "run"),
		"XDG_CONFIG_HOME": "", "REGISTRY_AUTH_FILE": "", "PATH": filepath.Join(home, "bin") + ":" + os.Getenv("PATH"),
	} {
		t.Setenv(variable, value)
	}
	for name, script := range helpers {
		text := "#!/bin/sh\ncat > /dev/null\necho run >> " + filepath.Join(home, "runs") + "\n" + script + "\n"
		writeFile(t, filepath.Join(home, "bin", "docker-credential-"+name), text, 0o755)
	}
	return home
}

func writeFile(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), mode)); err != nil {
		t.Fatal(err)
	}
}

// guarded is a registry and a web server where what is below private wants a login.
func guarded(t *testing.T) string {
	t.Helper()
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		known := user == "me" && password == "s3cret"
		private := strings.Contains(r.URL.String(), "private")
		switch {
		case r.URL.Path == "/token" && (known || r.Method == http.MethodPost):
			_ = json.NewEncoder(w).Encode(map[string]string{"token": "T-me", "access_token": "T-me"})
		case r.URL.Path == "/token" && private:
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/token":
			_ = json.NewEncoder(w).Encode(map[string]string{"token": "T-anybody"})
		case strings.HasPrefix(r.URL.Path, "/v2/") && r.Header.Get("Authorization") == "":
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, r.Host))
			w.WriteHeader(http.StatusUnauthorized)
		case private && !known && r.Header.Get("Authorization") != "Bearer T-me":
			w.WriteHeader(http.StatusForbidden)
		}
	}))
}

// TestHelperMattersWhereALoginIsNeeded holds that a helper that gives no answer is an
// error for what is private alone, of registries and of web servers.
func TestHelperMattersWhereALoginIsNeeded(t *testing.T) {
	const docker, podman = ".docker/config.json", "run/containers/auth.json"
	for name, test := range map[string]struct {
		file, config string
		known        bool   // the private is there for whoever runs this
		says         string // in the error else
	}{
		"works":             {docker, `{"credHelpers": {"HOST": "works"}}`, true, ""},
		"works for all":     {docker, `{"credsStore": "works"}`, true, ""},
		"token":             {docker, `{"credHelpers": {"HOST": "token"}}`, true, ""},
		"Podman, works":     {podman, `{"credHelpers": {"HOST": "works"}}`, true, ""},
		"no file":           {docker, `{}`, false, ""},
		"knows none":        {docker, `{"credsStore": "empty"}`, false, ""},
		"missing":           {docker, `{"credHelpers": {"HOST": "ecr-login"}}`, false, "docker-credential-ecr-login is not installed"},
		"missing for all":   {docker, `{"credsStore": "desktop"}`, false, "docker-credential-desktop is not installed"},
		"Podman, missing":   {podman, `{"credHelpers": {"HOST": "acme"}}`, false, "docker-credential-acme is not installed"},
		"of another":        {docker, `{"credHelpers": {"other.example.com": "acme"}}`, false, ""},
		"fails":             {docker, `{"credsStore": "fails"}`, false, "docker-credential-fails fails: exit status 3"},
		"hangs":             {docker, `{"credHelpers": {"HOST": "hangs"}}`, false, "docker-credential-hangs does not answer within 1s"},
		"Podman, hangs":     {podman, `{"credHelpers": {"HOST": "leaves"}}`, false, "docker-credential-leaves does not answer within 1s"},
		"malformed":         {docker, `{"credsStore": "malformed"}`, false, "docker-credential-malformed answers what are no credentials"},
		"says too much":     {podman, `{"credHelpers": {"HOST": "chatty"}}`, false, "docker-credential-chatty does not answer"},
		"missing, and auth": {docker, `{"credsStore": "desktop", "auths": {"HOST": {"auth": "bWU6czNjcmV0"}}}`, true, ""},
		"broken file":       {docker, `{"auths": `, false, "cannot read"},
		"broken auth":       {docker, `{"auths": {"HOST": {"auth": "bWU6czNjcmV0="}}}`, false, "cannot read"},
	} {
		t.Run(name, func(t *testing.T) {
			home := credentialFolder(t)
			host := guarded(t)
			writeFile(t, filepath.Join(home, test.file), strings.ReplaceAll(test.config, "HOST", host), 0o600)
			limit := time.Minute
			if strings.Contains(test.says, "does not answer") {
				limit = time.Second
			}
			var told []string
			client, err := New(Options{
				Keychain: &keychain{limit: limit}, Log: func(s string) { told = append(told, s) },
				Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			for _, place := range []string{"public/a", "public/b", "private/a", "private/b"} {
				wanted := !strings.HasPrefix(place, "private") || test.known
				checkPlace(t, place, wanted, test.says, readRepository(t, client, host, place))
				if test.config != `{"credHelpers": {"HOST": "token"}}` { // which is for registries alone
					checkPlace(t, "web "+place, wanted, test.says, readWeb(t, client, host, place))
				}
			}
			if all := strings.Join(told, "\n"); strings.Contains(all, "s3cret") || len(told) > 1 || (test.says != "") != (len(told) == 1) {
				t.Errorf("told %d times:\n%s", len(told), all)
			}
			runs, _ := os.ReadFile(filepath.Join(home, "runs"))
			if n := strings.Count(string(runs), "run"); n > 5 { // docker's file is asked for each repository, too
				t.Errorf("helpers ran %d times", n)
			}
		})
	}
}

func checkPlace(t *testing.T, place string, wanted bool, says string, err error) {
	t.Helper()
	switch {
	case wanted && err != nil:
		t.Errorf("%s: %v", place, err)
	case !wanted && (err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "s3cret")):
		t.Errorf("%s: error is %v, wanted %q", place, err, says)
	case !wanted:
		if status := (*StatusError)(nil); !errors.As(err, &status) {
			t.Errorf("%s: no status in %v", place, err)
		}
	}
}

func readRepository(t *testing.T, client *Client, host, place string) error {
	t.Helper()
	session, err := client.Session(t.Context(), Repository{Registry: host, Name: place}, Access{})
	if err == nil {
		_, _, err = session.Read(t.Context(), "/manifests/1", nil, 1)
	}
	return err
}

func readWeb(t *testing.T, client *Client, host, place string) error {
	t.Helper()
	session, err := client.WebSession(t.Context(), Resource{URL: "http://" + host + "/" + place})
	if err == nil {
		_, _, err = session.Read(t.Context(), "", nil, 1)
	}
	return err
}

// TestHelperIsToldNoPassphrase has a real helper print its environment: the passphrase
// of the key is not its business, the way through a proxy is.
func TestHelperIsToldNoPassphrase(t *testing.T) {
	home := credentialFolder(t)
	t.Setenv("COSIGN_PASSWORD", "hunter2")
	t.Setenv("HTTPS_PROXY", "http://me:pr0xy@127.0.0.1:9")
	told := filepath.Join(home, "environment")
	writeFile(t, filepath.Join(home, "bin", "docker-credential-prints"), "#!/bin/sh\ncat > /dev/null\nenv > "+told+
		"\necho '{\"Username\":\"me\",\"Secret\":\"s3cret\"}'\n", 0o755)
	host := guarded(t)
	writeFile(t, filepath.Join(home, ".docker/config.json"), `{"credHelpers": {"`+host+`": "prints"}}`, 0o600)
	client, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := readRepository(t, client, host, "private/a"); err != nil {
		t.Fatal(err)
	}
	environment, err := os.ReadFile(told)
	if err != nil || strings.Contains(string(environment), "hunter2") || !strings.Contains(string(environment), "pr0xy") {
		t.Errorf("helper was told %s, error %v", environment, err)
	}
}
