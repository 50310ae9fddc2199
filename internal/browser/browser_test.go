package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const sound = `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>x</title><main><h1>One</h1><h2 id="a">Two</h2><p>text</p>
<table><caption>c</caption><tr><th scope="col">h</th></tr></table></main>`

// TestFaultsAreSeen looks at a page that is sound, and at the same with one
// fault each.
func TestFaultsAreSeen(t *testing.T) {
	t.Parallel()
	b := Start(t)
	look := func(v View, page string) []string {
		b.Open([]byte(page))
		b.Look(v)
		return b.Examine()
	}
	for _, v := range Views {
		if bad := look(v, sound); len(bad) > 0 {
			t.Errorf("%s: a sound page has faults: %q", v.Name, bad)
		}
	}
	for _, c := range []struct {
		view      View
		add, want string
	}{
		{Narrow, `<p style="width: 400px">wide</p>`, "page is"},
		{Narrow, `<div class="table-wrap" style="overflow-x: auto"><p style="width: 400px">wide</p></div>`, "not by keyboard"},
		{Light, `<h4>deep</h4>`, "heading"},
		{Light, `<table><tr><td>x</td></tr></table>`, "no caption"},
		{Light, `<table><caption>c</caption><tr><th>x</th></tr></table>`, "no scope"},
		{Light, `<svg role="img" width="9" height="9"></svg>`, "no words"},
		{Light, `<a href="#gone">x</a>`, "leads nowhere"},
		{Light, `<p id="a">x</p>`, "given twice"},
		{Light, `<p style="color: #999; background: #fff">grey</p>`, "contrast"},
		{Light, `<svg aria-hidden="true" width="90" height="40"><rect width="90" height="40" fill="#333"/><text y="20" ` +
			`fill="#000">dark</text></svg>`, "contrast"},
		{Dark, `<style>@media (prefers-color-scheme: dark) { p { color: #222; background: #000 } }</style>`, "contrast"},
		{Paper, `<style>@media print { p { color: #ddd } }</style>`, "contrast"},
	} {
		bad := look(c.view, strings.Replace(sound, "</main>", c.add+"</main>", 1))
		if !slices.ContainsFunc(bad, func(s string) bool { return strings.Contains(s, c.want) }) {
			t.Errorf("%s, %s: want %q, saw %q", c.view.Name, c.add, c.want, bad)
		}
	}
	for add, want := range map[string]string{
		`<div style="width: 5em"><p style="white-space: nowrap">a number with its unit</p></div>`: "runs out of",
		`<p style="width: 3em; overflow-wrap: anywhere">Arbeitsspeicher</p>`:                      "Arbeitsspeicher is broken",
		`<p style="width: 5em">give --option here</p>`:                                            "torn from its dashes",
		`<style>[data-label]::before { content: attr(data-label); display: inline-block; width: 2em; overflow-wrap: anywhere }</style>` +
			`<p data-label="Festplatte">x</p>`: "Festplatte is broken in the label",
		`<div style="overflow-x: auto; width: 5em"><p style="white-space: nowrap">scrolls, but not by keyboard</p></div>`: "runs out of",
	} {
		b.Open([]byte(strings.Replace(sound, "</main>", add+"</main>", 1)))
		if bad := b.Fit(); !strings.Contains(fmt.Sprint(bad), want) {
			t.Errorf("%s: want %q, saw %q", add, want, bad)
		}
	}
	b.Open([]byte(sound))
	if bad := b.Fit(); len(bad) > 0 {
		t.Errorf("a sound page does not fit: %q", bad)
	}
	b.Open([]byte(strings.Replace(sound, "</main>", `<p style="break-before: page">next</p></main>`, 1)))
	pdf := b.PDF()
	if pages := Pages(pdf); pages != 2 {
		t.Errorf("two sheets are %d", pages)
	}
	if words := Words(t, pdf); !strings.Contains(words, "text") || !strings.Contains(words, "next") {
		t.Errorf("on the sheets stands %q", words)
	}
	if b.Picture() == nil {
		t.Error("no picture")
	}
}
