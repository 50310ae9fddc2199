package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// TestChartsAreCheckedWhenTakenOut alters a chart between the check of the whole bundle and its use.
func TestChartsAreCheckedWhenTakenOut(t *testing.T) {
	t.Parallel()
	good := goodBundle(t)
	trust, err := (&trustFlags{keys: []string{filepath.Join("..", "..", "testdata", "vectors", "sender.pub")}}).trust()
	if err != nil {
		t.Fatal(err)
	}
	for name, altered := range map[string]bool{"as it was": false, "altered": true} {
		data := bytes.Clone(good)
		b, err := bundle.Open(bytes.NewReader(data), int64(len(data)), trust)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := (&valuesFlags{}).plan(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Verify(context.Background(), bundle.VerifyOptions{}); err != nil {
			t.Fatal(err)
		}
		if altered {
			content, err := b.ReadEntry(plan.charts[0].locked.Path, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			data[bytes.Index(data, content)] ^= 1
		}
		_, errs, err := plan.discover(context.Background(), b, func(string) {})
		if isRefusal(err) != altered {
			t.Errorf("%s: %v, %v", name, err, errs)
		}
		if !altered && fault.ExitCode(errors.Join(errs...)) != 1 { // the vector's chart is none
			t.Errorf("%s: %v", name, errs)
		}
	}
}

// TestTopKeys reads the keys of values files of many forms.
func TestTopKeys(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                              "0:",
		"# nothing\n":                   "0:",
		"null\n":                        "1:",
		"a: 1\nb: {c: 2}\n":             "1: a b",
		"{\"a\": 1, \"b\": [1]}":        "1: a b",
		"\ufeffa: 1\n":                  "1: a",
		"a: 1\r\nb: 2\r\n":              "1: a b",
		"a: &x {b: 1}\n<<: *x\nc: *x\n": "1: a c",
		"a: 1\n---\nb: 2\n":             "2: a",
		"a: 1\n...\nb: : 2\n":           "2: a",
		"- a\n":                         "1:",
		"1: x\ntrue: y\n":               "1: 1 true",
	} {
		document, documents := firstDocument([]byte(text))
		keys := topKeys(document)
		got := string(rune('0'+documents)) + ":"
		for _, key := range keys {
			got += " " + key.Value
		}
		if got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
	document, _ := firstDocument([]byte("a: 1\nb:\n  c: 1\nd: 2\n"))
	if keys := topKeys(document); keys[2].Line != 4 || strings.TrimSpace(keys[2].Value) != "d" {
		t.Errorf("%+v", keys[2])
	}
}

// TestShowTellsOfOtherValues shows a lock whose chart was rendered with values for other versions.
func TestShowTellsOfOtherValues(t *testing.T) {
	t.Parallel()
	rendered := func(other bool) *manifests.LockedRendering {
		return &manifests.LockedRendering{Values: []manifests.LockedValues{{From: "wire:values/reaper.yaml", For: "<5.35.0", Other: other}}}
	}
	lock := &manifests.Lock{Charts: []manifests.LockedChart{
		{Name: "reaper", Version: "9.1.0", Rendered: rendered(true)}, {Name: "sftd", Version: "0.145.0", Rendered: rendered(false)},
	}}
	var overall, list bytes.Buffer
	(&subject{lock: lock}).overview().text(printable.NewPrinter(&overall, nil))
	valuesOf(lock).text(printable.NewPrinter(&list, nil))
	if said := overall.String(); !strings.Contains(said, "values   of chart reaper 9.1.0 are for other versions: see --values") ||
		strings.Contains(said, "sftd") {
		t.Errorf("overview says\n%s", said)
	}
	if said := list.String(); strings.Count(said, "<5.35.0: NOT THIS ONE") != 1 || !strings.Contains(said, "sftd") {
		t.Errorf("list says\n%s", said)
	}
}
