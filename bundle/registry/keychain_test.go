package registry

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
)

// TestDefaultKeychain checks which files are read, and which entries of them.
func TestDefaultKeychain(t *testing.T) {
	home := t.TempDir()
	for _, variable := range []string{"REGISTRY_AUTH_FILE", "XDG_CONFIG_HOME"} {
		t.Setenv(variable, "")
	}
	t.Setenv("DOCKER_CONFIG", filepath.Join(home, ".docker")) // Docker's package finds its default folder only once a process
	t.Setenv("HOME", home)
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(home, "run"))
	write := func(file string, users map[string]string) {
		t.Helper()
		auths := map[string]any{}
		for key, user := range users {
			auths[key] = map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(user + ":pw"))}
		}
		data, err := json.Marshal(map[string]any{"auths": auths})
		if err != nil {
			t.Fatal(err)
		}
		file = filepath.Join(home, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	user := func(repository string) string {
		t.Helper()
		target, err := name.NewRepository(repository)
		if err != nil {
			t.Fatal(err)
		}
		login, err := DefaultKeychain().Resolve(target)
		if err != nil {
			t.Fatal(err)
		}
		config, err := login.Authorization()
		if err != nil {
			t.Fatal(err)
		}
		return config.Username
	}
	check := func(want map[string]string) {
		t.Helper()
		for repository, wanted := range want {
			if got := user(repository); got != wanted {
				t.Errorf("user for %s is %q, wanted %q", repository, got, wanted)
			}
		}
	}
	check(map[string]string{"quay.io/wire/brig": "", "docker.io/library/x": ""})
	write("run/containers/auth.json", map[string]string{"quay.io": "podman", "docker.io": "hub", "quay.io/special": "special"})
	check(map[string]string{"quay.io/wire/brig": "podman", "docker.io/library/x": "hub", "ghcr.io/x/y": ""})
	write(".config/containers/auth.json", map[string]string{"ghcr.io": "config"})
	check(map[string]string{"ghcr.io/x/y": "config", "quay.io/wire/brig": "podman"})
	write(".docker/config.json", map[string]string{"reg.local:5000": "docker"})
	check(map[string]string{
		"reg.local:5000/x/y": "docker", "quay.io/wire/brig": "podman", "quay.io/special/x": "special", "docker.io/library/x": "hub",
	})
}
