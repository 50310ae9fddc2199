// Package island holds no code: it is the place of the test on the layers.
package island

import (
	"os/exec"
	"strings"
	"testing"
)

// TestLayers holds, on what is really linked, what depguard holds on imports:
// imports go down the list of docs/design.md and never up.
func TestLayers(t *testing.T) {
	const module = "github.com/islandbundle/island/"
	for _, layer := range []struct {
		packages string
		never    []string
	}{
		{"./manifests", []string{module + "bundle", module + "charts", module + "sizing", "net/http", "helm.sh/helm"}},
		{"./manifests/fault", []string{module, "net"}},
		{"./manifests/wireapp", []string{module + "bundle", module + "charts", module + "sizing", "net/http"}},
		{"./manifests/diff", []string{module + "bundle", module + "charts", module + "sizing", "net/http"}},
		{"./manifests/sbom", []string{module + "bundle", module + "charts", module + "sizing", "net/http"}},
		{"./manifests/vex", []string{module + "bundle", module + "charts", module + "sizing", "net/http"}},
		{"./bundle", []string{module + "charts", module + "sizing", module + "bundle/resolve", module + "manifests/wireapp", "helm.sh/helm", "k8s.io/"}},
		{"./bundle/source", []string{module + "charts", module + "sizing", module + "bundle/resolve", module + "manifests/wireapp", "helm.sh/helm", "k8s.io/"}},
		{"./bundle", []string{"net/http", "github.com/google/go-containerregistry", "golang.org/x/crypto"}},
		{"./charts", []string{module + "bundle", module + "sizing", module + "bundle/resolve", "helm.sh/helm/v3/pkg/action"}},
		{"./sizing/...", []string{module + "bundle", module + "charts", module + "bundle/resolve", "helm.sh/helm", "k8s.io/"}},
		{"./cmd/...", []string{"testing"}}, // test-helpers, such as manifests/schema/schematest, stay out
		{"./cmd/island-probe", []string{module + "bundle", module + "charts", "helm.sh/helm", "github.com/google/go-containerregistry", "k8s.io/"}},
	} {
		t.Run(layer.packages, func(t *testing.T) {
			t.Parallel()
			out, err := exec.Command("go", "list", "-deps", layer.packages).CombinedOutput()
			if err != nil {
				t.Fatalf("go list: %v\n%s", err, out)
			}
			own := module + strings.TrimSuffix(strings.TrimPrefix(layer.packages, "./"), "/...")
			for _, linked := range strings.Fields(string(out)) {
				for _, never := range layer.never {
					if strings.HasPrefix(linked, never) && !strings.HasPrefix(linked, own) {
						t.Errorf("%s links %s", layer.packages, linked)
					}
				}
			}
		})
	}
}
