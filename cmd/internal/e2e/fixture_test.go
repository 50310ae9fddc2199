package e2e

import (
	"testing"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/internal/fixture"
	"github.com/islandbundle/island/manifests"
)

// TestDocumentsAreRead holds the documents against the code that reads them.
func TestDocumentsAreRead(t *testing.T) {
	t.Parallel()
	for _, options := range []fixture.Options{{}, {Images: 40}, {Charts: 14, Images: 40, Revision: 1, EveryPlatform: true}} {
		options.Bytes = 2 << 20
		w, err := fixture.New(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := manifests.Read("release.yaml", w.ReleaseYAML()); err != nil {
			t.Errorf("%+v: %v", options, err)
		}
		if _, err := source.ParseMirrors("mirrors.yaml", w.MirrorsYAML("127.0.0.1:5000")); err != nil {
			t.Errorf("%+v: %v", options, err)
		}
	}
}
