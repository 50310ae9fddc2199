package present

import (
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing"
)

func FuzzPageOfSite(f *testing.F) {
	f.Add([]byte(`apiVersion: island/v1
kind: Site
name: x
scenario: custom-app-on-premises
users: 2500
conferences: 10x8, 2x50
serverCount: 3
restund: 3
`))
	f.Add([]byte(`{"apiVersion":"island/v1","kind":"Site","users":1,"conferences":"none"}`))
	guide, _, err := sizing.Embedded("guide")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		site, err := sizing.ReadSite("site.yaml", data)
		if err != nil || site.Conferences.Largest() > 500 || site.ServerCount+len(site.Servers) > 20 {
			return
		}
		r := sizing.Calculate(sizing.Input{Site: site, Table: guide})
		if _, err := HTML(r, words.English()); err != nil {
			t.Error(err)
		}
		if r.Placement != nil && r.Placement.Total.Cores < 0 {
			t.Error("a negative need")
		}
	})
}

func FuzzPageOfTable(f *testing.F) {
	for _, name := range sizing.Names() {
		_, data, err := sizing.Embedded(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	site := someSite(f, 100, "3x5")
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := sizing.ReadTable("table.yaml", data)
		if err != nil {
			return
		}
		if r := sizing.Calculate(sizing.Input{Site: site, Table: table}); len(r.Placement.Servers) > 100 {
			return
		} else if _, err := HTML(r, words.English()); err != nil {
			t.Error(err)
		}
	})
}
