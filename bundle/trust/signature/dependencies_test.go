package signature_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Verifying is what the site trusts, so it has to stay small: the standard
// library's cryptography and the project's own error type. What opens private
// keys lives in package keyfile.
func TestDependencies(t *testing.T) {
	t.Parallel()
	const module = "github.com/islandbundle/island/"
	allowed := map[string]bool{
		module + "bundle/trust/signature":        true,
		module + "bundle/trust/internal/pemfile": true,
		module + "manifests/fault":               true,
	}
	output, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := strings.Fields(string(output))
	for _, path := range found {
		if !allowed[path] {
			t.Errorf("depends on %s", path)
		}
	}
	if len(found) != len(allowed) {
		t.Errorf("depends on %d packages, want %d: %q", len(found), len(allowed), found)
	}
}
