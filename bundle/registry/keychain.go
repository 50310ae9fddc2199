package registry

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// DefaultKeychain returns the credentials that docker login and podman login
// left behind, credential helpers included. Docker's file is asked as
// go-containerregistry does, and then Podman's (containers-auth.json(5)):
// $REGISTRY_AUTH_FILE if set, else $XDG_RUNTIME_DIR/containers/auth.json
// (/run/containers/UID/auth.json) and $XDG_CONFIG_HOME/containers/auth.json.
// go-containerregistry alone does not read Podman's file where there is
// Docker's, nor Podman's entries for docker.io and for parts of a registry
// (quay.io/wire).
func DefaultKeychain() authn.Keychain {
	return authn.NewMultiKeychain(authn.DefaultKeychain, podmanKeychain{})
}

type podmanKeychain struct{}

// Resolve returns the credentials of the longest entry that covers the target.
func (podmanKeychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	for _, file := range podmanFiles() {
		f, err := os.Open(file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot open %s: %w", file, Bare(err))
		}
		logins, err := config.LoadFromReader(f)
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", file, Bare(err))
		}
		for _, key := range podmanKeys(target) {
			login, known := logins.AuthConfigs[key]
			if _, helped := logins.CredentialHelpers[key]; helped {
				if login, err = logins.GetAuthConfig(key); err != nil {
					return nil, fmt.Errorf("credential helper for %s: %w", key, err)
				}
			} else if !known {
				continue
			}
			login.ServerAddress = ""
			if login == (types.AuthConfig{}) {
				continue
			}
			return authn.FromConfig(authn.AuthConfig{
				Username: login.Username, Password: login.Password, Auth: login.Auth,
				IdentityToken: login.IdentityToken, RegistryToken: login.RegistryToken,
			}), nil
		}
	}
	return authn.Anonymous, nil
}

func podmanFiles() []string {
	if file := os.Getenv("REGISTRY_AUTH_FILE"); file != "" {
		return []string{file}
	}
	runtime := filepath.Join("/run/containers", fmt.Sprint(os.Getuid()))
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		runtime = filepath.Join(dir, "containers")
	}
	files := []string{filepath.Join(runtime, "auth.json")}
	if dir := os.Getenv("XDG_CONFIG_HOME"); dir != "" {
		return append(files, filepath.Join(dir, "containers", "auth.json"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		files = append(files, filepath.Join(home, ".config", "containers", "auth.json"))
	}
	return files
}

// podmanKeys returns the entries that cover a target, the longest first.
func podmanKeys(target authn.Resource) []string {
	whole := target.String()
	if rest, ok := strings.CutPrefix(whole, name.DefaultRegistry); ok {
		whole = "docker.io" + rest
	}
	var keys []string
	for whole != "" {
		keys = append(keys, whole)
		slash := strings.LastIndexByte(whole, '/')
		if slash < 0 {
			break
		}
		whole = whole[:slash]
	}
	return keys
}
