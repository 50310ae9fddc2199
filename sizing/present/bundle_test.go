package present

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/sizingtest"
)

func TestForBundle(t *testing.T) {
	site := someSite(t, 2500, "10x8")
	site.Table = "guide-postgresql"
	in := BundleInput{Lock: sizingtest.Lock(t, 1e9), Site: site, Language: language(t, "de")}
	files, err := ForBundle(in)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ForBundle(in)
	if err != nil || !reflect.DeepEqual(files, again) {
		t.Errorf("the same input gives other bytes (%v)", err)
	}
	_, data, _ := sizing.Embedded("guide-postgresql")
	if !bytes.Equal(files.Table, data) || !bytes.Contains(files.JSON, []byte(manifests.DigestOf(data))) {
		t.Error("the report does not name the table that travels with it")
	}
	if !bytes.Contains(files.HTML, []byte(`lang="de"`)) || !bytes.Contains(files.HTML, []byte("wire-server")) {
		t.Error("the page lacks the language or the charts")
	}
	if _, err := ForBundle(BundleInput{Site: site}); err == nil {
		t.Error("a bundle's report was made without a lock")
	}
}
