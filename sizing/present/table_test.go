package present

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/islandbundle/island/sizing"
)

var tags = regexp.MustCompile(`<sup>.*?</sup>|<[^>]*>`)

// TestTotalsInEveryForm finds the guide's table and totals in the text, the
// JSON and the page, in both languages.
func TestTotalsInEveryForm(t *testing.T) {
	for table, totals := range map[string][2][3]string{
		"guide":            {{"11", "18", "590"}, {"13", "26", "730"}},
		"guide-postgresql": {{"12", "20", "640"}, {"14", "28", "780"}},
	} {
		for tag, titles := range map[string][2]string{
			"en": {"Per-server totals", "Per-server totals with admin and asset host"},
			"de": {"Summe je Server", "Summe je Server mit Admin- und Asset-Host"},
		} {
			t.Run(table+"/"+tag, func(t *testing.T) {
				lang := language(t, tag)
				r := calculate(t, someSite(t, 2500, "10x8,2x50"), table)
				var text bytes.Buffer
				if err := Text(&text, r, lang); err != nil {
					t.Fatal(err)
				}
				page, err := HTML(r, lang)
				if err != nil {
					t.Fatal(err)
				}
				encoded, err := JSON(r, lang)
				if err != nil {
					t.Fatal(err)
				}
				for i, title := range titles {
					cells := []string{title, "–", totals[i][0], totals[i][1], totals[i][2]}
					wantRow(t, text.String(), cells)
					wantHTMLRow(t, string(page), cells)
					wantTotalJSON(t, encoded, title, totals[i])
				}
				for i, row := range embeddedTable(t, table).Rows {
					cells := []string{lang.Text(r.Hardware.Rows[i].Title)}
					for _, n := range []int64{row.Count.Value, row.Cores.Value, int64(row.Memory.Value), int64(row.Disk.Value)} {
						cells = append(cells, fmt.Sprint(n))
					}
					wantRow(t, text.String(), cells)
					wantHTMLRow(t, string(page), cells)
				}
				for i := 1; i <= 4; i++ {
					if !strings.Contains(string(page), fmt.Sprintf(`<li id="note-%d">`, i)) ||
						!strings.Contains(text.String(), "\n  "+superscript(fmt.Sprint(i))+" ") {
						t.Errorf("footnote %d is missing", i)
					}
				}
			})
		}
	}
}

// TestOwnNamesOfRoles wants what a customer's table calls a role in every language,
// before what catalogues have for the role.
func TestOwnNamesOfRoles(t *testing.T) {
	_, data, err := sizing.Embedded("guide")
	if err != nil {
		t.Fatal(err)
	}
	table, err := sizing.ReadTable("own.yaml", []byte(strings.NewReplacer(
		"title: Admin host\n", "title: Jump machine\n", "title: Kubernetes\n", "title: Cluster\n",
	).Replace(string(data))))
	if err != nil {
		t.Fatal(err)
	}
	r := sizing.Calculate(sizing.Input{Site: someSite(t, 2500, "10x8"), Table: table})
	for tag, names := range map[string][]string{
		"en": {"Cluster", "Jump machine", "Asset host"},
		"de": {"Cluster", "Jump machine", "Asset-Host"},
	} {
		var text bytes.Buffer
		if err := Text(&text, r, language(t, tag)); err != nil {
			t.Fatal(err)
		}
		page, err := HTML(r, language(t, tag))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			wantRow(t, text.String(), []string{name})
			if !strings.Contains(string(page), ">"+name) {
				t.Errorf("%s: the page does not say %q", tag, name)
			}
		}
	}
}

// wantRow wants a line with these cells at its beginning, marks apart.
func wantRow(t *testing.T, text string, cells []string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.NewReplacer("¹", "", "²", "", "³", "", "⁴", "", "*", "").Replace(line)
		if strings.HasPrefix(strings.Join(strings.Fields(line), " ")+" ", strings.Join(cells, " ")+" ") {
			return
		}
	}
	t.Errorf("no line %v in:\n%s", cells, text)
}

func wantHTMLRow(t *testing.T, page string, cells []string) {
	t.Helper()
	for _, row := range strings.Split(page, "<tr") {
		row = strings.ReplaceAll(strings.ReplaceAll(row, "</td>", "|"), "</th>", "|")
		_, row, _ = strings.Cut(row, ">")
		row = strings.ReplaceAll(html.UnescapeString(tags.ReplaceAllString(row, "")), " *", "")
		if strings.HasPrefix(row, strings.Join(cells, "|")+"|") {
			return
		}
	}
	t.Errorf("no row %v in the page", cells)
}

func wantTotalJSON(t *testing.T, data []byte, title string, want [3]string) {
	t.Helper()
	var doc struct {
		Hardware struct {
			Totals []struct {
				Title               string
				Cores, Memory, Disk json.Number
			}
		}
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	for _, total := range doc.Hardware.Totals {
		if total.Title == title && [3]string{total.Cores.String(), total.Memory.String(), total.Disk.String()} == want {
			return
		}
	}
	t.Errorf("no total %s of %v in %v", title, want, doc.Hardware.Totals)
}
