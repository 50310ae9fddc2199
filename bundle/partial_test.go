package bundle

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPartialIsNoLink: in a folder that others can write to, a link in the place
// of the file that a build fills would have it fill another.
func TestPartialIsNoLink(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, target := range map[string]string{"there": filepath.Join(folder, "precious"), "not there": filepath.Join(folder, "new")} {
		if name == "there" {
			if err := os.WriteFile(target, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		link := filepath.Join(folder, name+PartialSuffix)
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if file, err := openPartial(link); err == nil {
			closePartial(file)
			t.Errorf("a link to what is %s was followed", name)
		}
		if _, err := os.Stat(target); name == "not there" && err == nil {
			t.Error("what the link names was made")
		}
	}
}
