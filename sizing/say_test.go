package sizing

import (
	"maps"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing/site"
	"github.com/islandbundle/island/sizing/sizingtest"
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

// TestSourcesAreInTheReadersLanguage wants what the program says of its own sources in
// German, documents of others by their own titles, and a customer's words as they are.
func TestSourcesAreInTheReadersLanguage(t *testing.T) {
	german, err := words.All().Parse("de")
	if err != nil {
		t.Fatal(err)
	}
	table := tableWithFactors(t)
	place := someSite(t, 640, "3x12")
	r := Calculate(Input{Site: place, Table: table, Lock: sizingtest.Lock(t, 1e6)})
	got := map[string]string{}
	for _, s := range r.Sources {
		got[s.ID] = german.Text(s.Title) + "; " + german.Text(s.Where)
		if own := table.Sources[s.ID]; own.Title != "" && (english(s.Title) != own.Title || english(s.Where) != own.Where) {
			t.Errorf("%s is %q in English, in the table %q", s.ID, english(s.Title)+"; "+english(s.Where), own)
		}
	}
	for id, want := range map[string]string{
		"site": "eigene Angabe des Kunden; Standortdokument", "island": "eigene Wahl dieses Programms", "lock": "die Lock-Datei des Releases",
		"G": "Kundenleitfaden", "Graham": "R. L. Graham, Bounds on Multiprocessing",
	} {
		if !strings.Contains(got[id], want) {
			t.Errorf("%s is %q in German", id, got[id])
		}
	}
	own := *table
	own.Sources = maps.Clone(table.Sources)
	own.Sources["site"] = site.Source{Title: "our planning office"}
	for _, s := range Calculate(Input{Site: place, Table: &own}).Sources {
		if s.ID == "site" && german.Text(s.Title) != "our planning office" {
			t.Errorf("a customer's source is called %q", german.Text(s.Title))
		}
	}
}
