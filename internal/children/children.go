// Package children makes the environment of the programs that this one starts.
//
// A variable may be a secret that is meant for this program alone, above all the
// passphrase of the key that signs. No child gets those. What else a child gets
// depends on what it is for: [Environment] is the one place that says so.
package children

import (
	"os"
	"slices"
	"strings"
)

// Kind is what a child is for.
type Kind int

const (
	// Helper gives credentials: Docker's and Podman's files name it. It may have to ask
	// a cloud, through a proxy that wants a login, so that it gets all but what is
	// this program's own.
	Helper Kind = iota
	// Remote reaches another host, as ssh does. It may run what the user's
	// configuration says, which gets the user's variables, but no login to a registry
	// or of a proxy.
	Remote
	// Local reads facts off this machine. It asks nobody, and gets no variable whose
	// name says that it is a secret.
	Local
)

// own are the variables that hold secrets of this program, and of the tools whose keys
// and signatures it shares.
var own = []string{"COSIGN_PASSWORD", "COSIGN_PRIVATE_KEY", "COSIGN_KEY", "COSIGN_PKCS11_PIN", "SIGSTORE_ID_TOKEN"}

// registries are variables by which tools of the kind are logged in to registries.
var registries = []string{"DOCKER_AUTH_CONFIG", "REGISTRY_AUTH", "REGISTRY_USERNAME", "REGISTRY_PASSWORD", "REGISTRY_TOKEN",
	"HELM_REPO_PASSWORD", "DOCKER_PASSWORD", "CI_REGISTRY_PASSWORD"}

// proxies are variables that name proxies.
var proxies = []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY"}

// secretWords are parts of names of variables that hold secrets.
var secretWords = []string{"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE_KEY", "API_KEY", "APIKEY",
	"ACCESS_KEY", "SSHPASS"}

// Environment returns the environment of a child, as NAME=VALUE, with further
// variables, which win.
func Environment(kind Kind, more ...string) []string {
	var kept []string
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		upper := strings.ToUpper(name)
		switch {
		case slices.Contains(own, upper):
		case kind == Helper:
			kept = append(kept, variable)
		case slices.Contains(registries, upper):
		case kind == Local && slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(upper, word) }):
		case slices.Contains(proxies, upper):
			kept = append(kept, name+"="+withoutLogin(value))
		default:
			kept = append(kept, variable)
		}
	}
	return append(kept, more...)
}

// withoutLogin takes user and password off a proxy's URL, which may lack its scheme.
func withoutLogin(proxy string) string {
	scheme, rest, isURL := strings.Cut(proxy, "://")
	if !isURL {
		scheme, rest = "", proxy
	} else {
		scheme += "://"
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	return scheme + rest
}
