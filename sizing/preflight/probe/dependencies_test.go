//go:build linux

package probe

import (
	"os/exec"
	"strings"
	"testing"
)

// TestStaysSmall holds the probe to few packages, none of them large.
func TestStaysSmall(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "../../../cmd/island-probe").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		for _, banned := range []string{"helm.sh/", "github.com/google/go-containerregistry", "net/http", "crypto/tls", "k8s.io/", "yaml"} {
			if strings.HasPrefix(name, banned) || strings.Contains(name, "/yaml") && banned == "yaml" {
				t.Errorf("probe links %s", name)
			}
		}
	}
}
