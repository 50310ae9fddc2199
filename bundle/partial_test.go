package bundle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPartialIsNoLink: in a folder that others can write to, a link in the place
// of the file that a build fills would have it fill another.
func TestPartialIsNoLink(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"there", "not there"} {
		target, link := filepath.Join(folder, name), filepath.Join(folder, name+PartialSuffix)
		if name == "there" {
			if err := os.WriteFile(target, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		// Not openPartial, which would look for what has the name now, for ever.
		if file, err := createOrOpen(link); err == nil {
			file.Close()
			t.Fatalf("a link to what is %s was followed", name)
		}
		if _, err := openPartial(link); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("a link to what is %s: got %v", name, err)
		}
		if _, err := os.Stat(target); name == "not there" && err == nil {
			t.Error("what the link names was made")
		}
	}
}
