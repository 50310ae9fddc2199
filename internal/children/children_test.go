package children

import (
	"os/exec"
	"strings"
	"testing"
)

// TestEnvironment has a real child of each kind print what it was given.
func TestEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"COSIGN_PASSWORD": "hunter2-own", "COSIGN_PKCS11_PIN": "hunter2-own", "SIGSTORE_ID_TOKEN": "hunter2-own",
		"DOCKER_AUTH_CONFIG": "hunter2-registry", "REGISTRY_PASSWORD": "hunter2-registry",
		"AWS_SECRET_ACCESS_KEY": "hunter2-cloud", "github_token": "hunter2-cloud",
		"HTTPS_PROXY": "http://me:hunter2-proxy@proxy:3128", "http_proxy": "me:p@hunter2-proxy@proxy:3128", "NO_PROXY": "10.0.0.0/8",
		"SSH_AUTH_SOCK": "/run/agent", "KEPT": "as=it is",
	} {
		t.Setenv(name, value)
	}
	for kind, want := range map[Kind]struct{ has, lacks []string }{
		Helper: {[]string{"hunter2-cloud", "hunter2-proxy", "hunter2-registry"}, []string{"hunter2-own"}},
		Remote: {[]string{"hunter2-cloud", "HTTPS_PROXY=http://proxy:3128", "http_proxy=proxy:3128"},
			[]string{"hunter2-own", "hunter2-registry", "hunter2-proxy"}},
		Local: {[]string{"HTTPS_PROXY=http://proxy:3128"}, []string{"hunter2"}},
	} {
		child := exec.Command("env")
		child.Env = Environment(kind, "LC_ALL=C", "KEPT2=2")
		out, err := child.Output()
		if err != nil {
			t.Fatal(err)
		}
		always := []string{"NO_PROXY=10.0.0.0/8", "SSH_AUTH_SOCK=/run/agent", "KEPT=as=it is", "LC_ALL=C", "KEPT2=2", "PATH="}
		for _, text := range append(want.has, always...) {
			if !strings.Contains(string(out), text) {
				t.Errorf("kind %d has no %s", kind, text)
			}
		}
		for _, text := range want.lacks {
			if strings.Contains(string(out), text) {
				t.Errorf("kind %d has %s", kind, text)
			}
		}
	}
}
