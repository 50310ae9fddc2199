package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/diff"
)

func TestMark(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026.1.1+WIRE-2026-002":         "2026.1.1+WIRE-2026-002",
		"quay.io/wire/brig:5.30.9-pre.1": "quay.io/wire/brig:5.30.9-pre.1",
		"see https://evil.example/a":     `see https\://evil.example/a`,
		"FTP://evil.example":             `FTP\://evil.example`,
		"www.evil.example":               `www\.evil.example`,
		"WWW.evil.example":               `WWW\.evil.example`,
		"mailto:a@evil.example":          `mailto\:a\@evil.example`,
		"@wireapp/admins, #12, !7, $1":   `\@wireapp/admins, \#12, \!7, \$1`,
		"<https://evil.example>":         `&lt;https\://evil.example&gt;`,
		"<img src=x>&lt;b>":              "&lt;img src=x&gt;&amp;lt;b&gt;",
		"![a](b)":                        `\!\[a\](b)`,
		"~~gone~~ *b* _i_ `c`":           "\\~\\~gone\\~\\~ \\*b\\* \\_i\\_ \\`c\\`",
		"a | b":                          `a \| b`,
		`a \| b`:                         `a \\\| b`,
		"# head":                         `\# head`,
		"- point":                        `\- point`,
		"+ point":                        `\+ point`,
		"  - point":                      `  \- point`,
		"1. point":                       `1\. point`,
		"12) point":                      `12\) point`,
		"===":                            `\===`,
		"---":                            `\---`,
		"> said":                         "&gt; said",
		"one\n\n# two\r\n| three |":      `one  \# two  \| three \|`,
		"[a]: https://evil.example":      `\[a\]: https\://evil.example`,
	} {
		if got := mark(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// TestMarkdownHasTheShapeThatItsWriterGave puts Markdown into every text of a
// difference: it adds neither a line, nor a cell, nor a link.
func TestMarkdownHasTheShapeThatItsWriterGave(t *testing.T) {
	t.Parallel()
	shape := func(text string) (string, string) {
		part := &diff.Part{Version: text, From: text, DecidedBy: text}
		values := []diff.ValuesChanges{{Chart: text, Added: []diff.ValueChange{{Path: text, Old: text, New: text}}}}
		end := diff.End{Name: text, Release: text, Version: text, Patches: []string{text}}
		change := []diff.Change{{Name: text, Old: part, New: part}}
		var out bytes.Buffer
		app := newApp(&out, &bytes.Buffer{}, nil)
		diffMarkdown(app.out, diff.Difference{
			Old: end, New: end, Charts: change, Images: change, Files: change, Values: values, Set: values, Caveats: []string{text},
		})
		var shape []string
		for line := range strings.Lines(strings.NewReplacer(`\\`, "", `\|`, "").Replace(out.String())) {
			shape = append(shape, strings.Repeat("|", strings.Count(line, "|"))+line[:min(2, len(line))])
		}
		return strings.Join(shape, "\n"), out.String()
	}
	want, _ := shape("x")
	for _, text := range []string{
		"x | y", "x\n## z", "x\n\n- z", "x\r\n1. z", `x\| y`, "x\u2028| z", "x</td><td>z", "x https://a.example", "x www.a.example",
	} {
		got, all := shape(text)
		if got != want {
			t.Errorf("%q gives\n%s\nwant\n%s", text, got, want)
		}
		for _, never := range []string{"<td>", "https:", "www."} {
			if strings.Contains(all, never) {
				t.Errorf("%q gives %q", text, never)
			}
		}
	}
}
