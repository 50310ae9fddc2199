package source

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// comments is an index of so many bytes that says nothing.
func comments(size int64) io.Reader {
	line := "#" + strings.Repeat(" ", 1<<16-2) + "\n"
	lines := make([]io.Reader, size/int64(len(line))+1)
	for i := range lines {
		lines[i] = strings.NewReader(line)
	}
	return io.LimitReader(io.MultiReader(lines...), size)
}

// TestIndexesAreBounded serves indexes that go on behind what is read of one.
func TestIndexesAreBounded(t *testing.T) {
	t.Parallel()
	endless := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, comments(maxIndexBytes+1)) }
	folder := t.TempDir()
	file, err := os.Create(filepath.Join(folder, "index.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := io.Copy(file, comments(maxIndexBytes+1)); err != nil {
		t.Fatal(err)
	}
	many := "entries: {brig: [\n" + strings.Repeat("{}, {},\n", maxOtherMarks/2) + "{}]}"
	for name, test := range map[string]struct{ repository, says string }{
		"from a server":         {serve(t, http.HandlerFunc(endless)).URL, "index is larger than 64.0 MiB"},
		"in a folder":           {"file://" + folder, "larger than"},
		"many nodes in a style": {serve(t, text(many)).URL, "places where one may begin"},
	} {
		_, err := newUpstream(t, Options{}).Chart(t.Context(), test.repository, "brig", "1.3.0")
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %.300v, want %q", name, err, test.says)
		}
	}
}
