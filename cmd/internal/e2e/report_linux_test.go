package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCosignVerifiesReports: what preflight signed is believed by whoever has
// the key, with the command that docs/preflight.md names.
func TestCosignVerifiesReports(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	run(t, folder, island, "keygen", "--key-name", "site")
	write(t, filepath.Join(folder, "hosts.ini"), []byte("[demo]\nbox ansible_host=192.0.2.10\n"))
	if err := os.Mkdir(filepath.Join(folder, "facts"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "facts", "box.json"), []byte(`{"apiVersion": "island/v1", "kind": "Facts", "name": "box"}`))
	_, stderr, err := try(t, folder, island, "preflight", "-i", "hosts.ini", "--facts", "facts", "--table", "demo",
		"--json", "report.json", "--html", "report.html", "--sign-key", "site.key")
	if err == nil || !strings.Contains(stderr, "could not be measured") {
		t.Fatalf("%v\n%s", err, stderr)
	}
	cosignBelieves(t, folder, "site.pub", "report.json", "report.html")
}

// TestCosignVerifiesDocuments: what island sign signed, the files that a document names
// among it, cosign believes as docs/patches.md says.
func TestCosignVerifiesDocuments(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	run(t, folder, island, "keygen", "--key-name", "vendor")
	write(t, filepath.Join(folder, "overlay.yaml"),
		[]byte("apiVersion: island/v1\nkind: Overlay\ncharts: [{name: brig, values: [brig.yaml]}]\n"))
	write(t, filepath.Join(folder, "brig.yaml"), []byte("a: 1\n"))
	run(t, folder, island, "sign", "overlay.yaml", "--key", "vendor.key")
	cosignBelieves(t, folder, "vendor.pub", "overlay.yaml", "overlay.yaml.binds.json")
}

// cosignBelieves makes sure that each cosign takes files of a folder by the key they were
// signed with, and by no other.
func cosignBelieves(t *testing.T, folder, key string, files ...string) {
	t.Helper()
	write(t, filepath.Join(folder, "trusted_root.json"), []byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`))
	for _, name := range []string{"cosign-v2", "cosign-v3"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cosign := tool(t, name)
			verify := func(key, file string) error {
				_, _, err := try(t, folder, cosign, "verify-blob", "--key", key, "--bundle", file+".sigstore.json",
					"--insecure-ignore-tlog", "--trusted-root", "trusted_root.json", file)
				return err
			}
			for _, file := range files {
				if err := verify(key, file); err != nil {
					t.Errorf("%s: %v", file, err)
				}
				if verify(otherKey(t), file) == nil {
					t.Errorf("%s is taken with another's key", file)
				}
			}
		})
	}
}
