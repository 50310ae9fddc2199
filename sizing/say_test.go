package sizing

import (
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
)

// TestOwnTablesAndCataloguesAgree wants every text of the tables that the program
// brings in the catalogues, in the same words, so that a further language can have
// it; and at one place the same text in all of them.
func TestOwnTablesAndCataloguesAgree(t *testing.T) {
	for _, name := range Names() {
		for place, given := range embeddedTable(t, name).texts() {
			for _, l := range words.All() {
				if own, ok := given[l.Tag]; ok && l.Word("sizing.table."+place) != own {
					t.Errorf("table %s, %s, %s: %q; the catalogue has %q", name, place, l.Tag, own, l.Word("sizing.table."+place))
				}
			}
		}
	}
}

// TestRolesOfOwnTablesAndCataloguesAgree wants the same of what these tables call
// roles.
func TestRolesOfOwnTablesAndCataloguesAgree(t *testing.T) {
	for _, name := range Names() {
		for _, r := range embeddedTable(t, name).Requirements() {
			if name := r.Name(); name.Code != "role."+string(r.Role) || english(name) != r.Title {
				t.Errorf("table %s: the catalogue calls %q %q", name, r.Title, english(name))
			}
		}
	}
}

// TestOwnWordsOfATable wants what a customer's table says to stay as it is: in
// the languages that it has, else in English, and never as another table's text.
func TestOwnWordsOfATable(t *testing.T) {
	_, guide, err := Embedded("guide")
	if err != nil {
		t.Fatal(err)
	}
	own := strings.NewReplacer("  de: Leitfaden von Wire, hochverfügbar\n", "",
		"en: etcd runs inside Kubernetes and has no allocation of its own.", "en: etcd runs elsewhere.\n      nl: etcd draait elders.")
	table, err := ReadTable("own.yaml", []byte(own.Replace(string(guide))))
	if err != nil {
		t.Fatal(err)
	}
	german, err := words.All().Parse("de")
	if err != nil {
		t.Fatal(err)
	}
	title, note := table.Title.text(placeOfTitle(table)), table.Notes[2].Text.text(table.Notes[2].place())
	if got := german.Text(title); got != "Leitfaden von Wire, hochverfügbar" {
		t.Errorf("a title that is the guide's own: %q", got)
	}
	if note.Code != "" || english(note) != "etcd runs elsewhere." || note.Given["nl"] != "etcd draait elders." {
		t.Errorf("an own footnote: %+v", note)
	}
	if table.Name = "own"; german.Text(table.Title.text(placeOfTitle(table))) != "Wire's guide, high availability" {
		t.Error("a title without German is not in English")
	}
}
