package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/islandbundle/island/bundle/internal/memo"
)

// helperTime is how long a credential helper may take. Some ask a cloud, or a
// person for a passphrase.
const helperTime = time.Minute

// DefaultKeychain returns the credentials that docker login and podman login
// left behind, credential helpers included. Docker's file is read first
// ($DOCKER_CONFIG or ~/.docker, config.json), and then Podman's
// (containers-auth.json(5)): $REGISTRY_AUTH_FILE if set, else
// $XDG_RUNTIME_DIR/containers/auth.json (/run/containers/UID/auth.json) and
// $XDG_CONFIG_HOME/containers/auth.json.
//
// A file that cannot be read, and a helper that is not installed, fails or does
// not answer within a minute, stands in nobody's way: the next is asked. If none
// has credentials, what went wrong is the error. A helper runs once for a
// registry, and what it prints is never told.
func DefaultKeychain() authn.Keychain { return &keychain{limit: helperTime} }

type keychain struct {
	limit   time.Duration     // for one helper
	answers memo.Memo[answer] // by helper and entry
	dead    sync.Map          // by helper: the error of those that answer nobody
}

// answer is what a helper said, or why it did not.
type answer struct {
	login types.AuthConfig
	err   error
}

// authFile is a file with credentials, and the entries of it that cover a
// registry or repository, in the order in which they count.
type authFile struct {
	name string
	read func() (*configfile.ConfigFile, error)
	own  func(logins *configfile.ConfigFile, key string) (types.AuthConfig, error) // without helpers
	keys []string
}

// Resolve implements [authn.Keychain].
func (k *keychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), target)
}

// ResolveContext implements [authn.ContextKeychain].
func (k *keychain) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	files := []authFile{dockerFile(target)}
	for _, file := range podmanFiles() {
		files = append(files, podmanFile(file, target))
	}
	var failed []error
	fail := func(err error) {
		known := func(other error) bool { return other.Error() == err.Error() }
		if !slices.ContainsFunc(failed, known) {
			failed = append(failed, err)
		}
	}
	for _, file := range files {
		logins, err := file.read()
		if err != nil {
			fail(fmt.Errorf("cannot read %s: %w", file.name, Bare(err)))
			continue
		}
		for _, key := range file.keys {
			login, err := k.login(ctx, file, logins, key)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				fail(fmt.Errorf("%w, which is named in %s", err, file.name))
			}
			login.ServerAddress = ""
			if login != (types.AuthConfig{}) {
				return authn.FromConfig(authn.AuthConfig{
					Username: login.Username, Password: login.Password, Auth: login.Auth,
					IdentityToken: login.IdentityToken, RegistryToken: login.RegistryToken,
				}), nil
			}
		}
	}
	return authn.Anonymous, errors.Join(failed...)
}

// login returns what a file has for one entry: of the helper if it names one,
// and else, or if the helper fails, its own.
func (k *keychain) login(ctx context.Context, file authFile, logins *configfile.ConfigFile, key string) (types.AuthConfig, error) {
	helper, of := logins.CredentialHelpers[key]
	if !of {
		helper = logins.CredentialsStore
	}
	own, err := file.own(logins, key)
	if helper == "" {
		return own, err
	}
	said, err := k.answers.Get(ctx, helper+" "+key, func() (answer, error) {
		return k.ask(ctx, helper, key), context.Cause(ctx) // a failure is kept, but not that of being called off
	})
	if err != nil {
		return types.AuthConfig{}, err
	}
	if said.err != nil || said.login == (types.AuthConfig{}) {
		return own, said.err
	}
	return said.login, nil
}

// ask runs a helper, unless it is known to answer nobody: else one that hangs would
// cost its time for each repository.
func (k *keychain) ask(ctx context.Context, helper, key string) answer {
	if err, dead := k.dead.Load(helper); dead {
		return answer{err: err.(error)}
	}
	login, err := askHelper(ctx, k.limit, helper, key)
	if failed := (*HelperError)(nil); errors.As(err, &failed) && failed.Dead && ctx.Err() == nil {
		k.dead.Store(helper, err)
	}
	return answer{login, err}
}

// dockerFile is Docker's file, which has credentials for a repository or for its
// registry.
func dockerFile(target authn.Resource) authFile {
	folder := os.Getenv("DOCKER_CONFIG")
	if folder == "" {
		folder = config.Dir()
	}
	file := authFile{name: filepath.Join(folder, config.ConfigFileName)}
	file.read = func() (*configfile.ConfigFile, error) { return config.Load(folder) }
	file.own = func(logins *configfile.ConfigFile, key string) (types.AuthConfig, error) {
		without := *logins
		without.CredentialHelpers, without.CredentialsStore = nil, ""
		return without.GetAuthConfig(key)
	}
	for _, key := range []string{target.String(), target.RegistryStr()} {
		if key == name.DefaultRegistry {
			key = authn.DefaultAuthKey
		}
		file.keys = append(file.keys, key)
	}
	return file
}

// podmanFile is one of Podman's files, which has credentials for parts of a
// registry, too (quay.io/wire): the longest that covers the target counts.
func podmanFile(file string, target authn.Resource) authFile {
	read := func() (*configfile.ConfigFile, error) {
		f, err := os.Open(file)
		if os.IsNotExist(err) {
			return configfile.New(file), nil
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		logins, err := config.LoadFromReader(f)
		if err == nil {
			logins.CredentialsStore = "" // which Podman does not know
		}
		return logins, err
	}
	own := func(logins *configfile.ConfigFile, key string) (types.AuthConfig, error) {
		return logins.AuthConfigs[key], nil
	}
	return authFile{name: file, read: read, own: own, keys: podmanKeys(target)}
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
