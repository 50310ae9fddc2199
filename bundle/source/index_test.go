package source

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/manifests"
)

const helmIndex = `apiVersion: v1
entries:
  alpine:
  - created: 2016-10-06T16:23:20.499814565-06:00
    description: |
      entries:
        nginx:
        - version: 9.9.9
      # not a comment

      more
    name: alpine
    urls:
    - alpine-1.0.0.tgz
    version: 1.0.0
  # a comment
  "nginx":
    - name: nginx
      description: "a quoted
        text of two lines"
      maintainers:
      - name: someone
        version: 6.6.6
      urls:
      - https://example.com/nginx-1.2.0.tgz
      version: 1.2.0
# another comment
    - name: nginx
      urls: [nginx-1.1.0.tgz]
      version: "1.1.0"
      digest: "515c58e5f79d8b2913a10cb400ebb6fa9c77fe813287afbacf1a0b897cd78727"
    - {name: nginx, version: v1.0.0, urls: [nginx-1.0.0.tgz]}
    - name: nginx
      version: 0.9.0+a
      urls: [a]
    - name: nginx
      version: 0.9.0+b
      urls: [b]
    - name: nginx
      version: 1.10
      urls: [ten]
  zeta: []
generated: 2016-10-06T16:23:20.499029981-06:00
`

func TestIndexStyles(t *testing.T) {
	t.Parallel()
	for style, index := range map[string]string{
		"block":            helmIndex,
		"CRLF":             strings.ReplaceAll(helmIndex, "\n", "\r\n"),
		"document marks":   "\xef\xbb\xbf---\n" + helmIndex + "---\n",
		"flow":             toFlow(t, helmIndex),
		"JSON":             toJSON(t, helmIndex),
		"anchors":          strings.Replace(helmIndex, "  zeta: []", "  zeta: &a []\n  omega: *a", 1),
		"odd continuation": strings.Replace(helmIndex, "\"a quoted\n        text of two lines\"", "\"a quoted\n text\"", 1),
	} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			for version, want := range map[string]string{
				"1.2.0": "https://example.com/nginx-1.2.0.tgz", "v1.2.0": "https://example.com/nginx-1.2.0.tgz",
				"1.1.0": "nginx-1.1.0.tgz", "1.0.0": "nginx-1.0.0.tgz", "v1.0.0": "nginx-1.0.0.tgz",
				"0.9.0+a": "a", "v0.9.0+b": "b", "1.2.0+meta": "https://example.com/nginx-1.2.0.tgz", "1.10": "ten", "1.10.0": "ten",
				"0.9.0": "could be any of 0.9.0+a, 0.9.0+b", "0.9.0+c": "not found", "6.6.6": "not found", "9.9.9": "not found",
			} {
				s := search{name: "nginx", version: version}
				err := s.scan(strings.NewReader(index))
				var e *chartEntry
				if err == nil {
					e, err = s.choose()
				}
				switch {
				case err != nil && !strings.Contains(err.Error(), want):
					t.Errorf("%s: error %v, wanted %s", version, err, want)
				case err == nil && e.URLs[0] != want:
					t.Errorf("%s is at %s, wanted %s", version, e.URLs[0], want)
				case err == nil && version == "1.1.0" && e.digest == "":
					t.Errorf("%s has no digest", version)
				}
			}
			for name, says := range map[string]string{"zeta": "version 1.0.0 of chart zeta is not found", "none": "chart none is not found"} {
				s := search{name: name, version: "1.0.0"}
				if err := s.scan(strings.NewReader(index)); err != nil {
					t.Error(err)
				}
				_, err := s.choose()
				wantError(t, err, says)
			}
		})
	}
}

func toFlow(t *testing.T, index string) string {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(index), &node); err != nil {
		t.Fatal(err)
	}
	node.Content[0].Content[3].Style = yaml.FlowStyle
	out, err := yaml.Marshal(&node)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func toJSON(t *testing.T, index string) string {
	t.Helper()
	var out bytes.Buffer
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(index), &node); err != nil {
		t.Fatal(err)
	}
	writeJSON(&out, node.Content[0])
	return out.String()
}

func writeJSON(out *bytes.Buffer, node *yaml.Node) {
	switch node.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		open, end := "{", "}"
		if node.Kind == yaml.SequenceNode {
			open, end = "[", "]"
		}
		out.WriteString(open)
		for i, child := range node.Content {
			if i > 0 && (node.Kind == yaml.SequenceNode || i%2 == 0) {
				out.WriteString(",")
			} else if i > 0 {
				out.WriteString(":")
			}
			writeJSON(out, child)
		}
		out.WriteString(end)
	default:
		fmt.Fprintf(out, "%q", node.Value)
	}
}

func TestIndexFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ index, says string }{
		"empty":            {"", "empty"},
		"white space":      {"\n\n", "empty"},
		"HTML":             {"<html><body>", "not valid"},
		"a list":           {"- a\n- b\n", "not valid"},
		"entry not a list": {"entries:\n  x:\n    version: 1.0.0\n", "not valid"},
		"broken item":      {"entries:\n  x:\n  - version: 1.0.0\n    urls: [\n", "not valid"},
		"JSON cut short":   {`{"entries":{"x":[{"version":"1.0.0"}`, "not valid"},
		"JSON of a kind":   {`{"entries":[]}`, "is not a JSON object"},
		"a long line":      {"entries:\n  x:\n  - version: 1.0.0\n    d: " + strings.Repeat("x", maxItemBytes) + "\n", "line is longer"},
		"a long item": {
			"entries:\n  x:\n  - version: 1.0.0\n" + strings.Repeat("    # "+strings.Repeat("x", 100)+"\n", maxItemBytes/100),
			"an entry of chart x is larger",
		},
		"a long JSON item": {`{"entries":{"x":[{"version":"1.0.0","d":"` + strings.Repeat("x", maxItemBytes) + `"}]}}`, "entry of chart x is"},
		"a heavy item":     {`{"entries":{"x":[{"version":"1.0.0","urls":[` + strings.Repeat(`"",`, 100_000) + `""]}]}}`, "takes more memory"},
		"too many":         {"entries:\n  x:\n" + strings.Repeat("  - version: 2.0.0\n", maxVersions+1), "more than 100000 versions"},
		"large other kind": {"entries: {x: [{version: 1.0.0}]}\n" + strings.Repeat("a: b\n", maxOtherBytes/5+1), "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := search{name: "x", version: "1.0.0"}
			err := s.scan(strings.NewReader(test.index))
			wantError(t, err, test.says)
			if fallsBack(err) {
				t.Error("a broken index is taken for a missing one")
			}
		})
	}
}

// A text that is written to look like a chart must not pass for one.
func TestIndexInAText(t *testing.T) {
	t.Parallel()
	index := "entries:\n  a:\n  - name: a\n    version: 1.0.0\n" +
		"    description: \"x\n  nginx:\n  - name: nginx\n    version: 1.0.0\n    urls: [evil]\n  \"\n" +
		"  nginx:\n  - name: nginx\n    version: 1.0.0\n    urls: [good]\n"
	s := search{name: "nginx", version: "1.0.0"}
	if err := s.scan(strings.NewReader(index)); err != nil {
		t.Fatal(err)
	}
	if e, err := s.choose(); err != nil || e.URLs[0] != "good" {
		t.Errorf("found %+v, error %v", e, err)
	}
}

// bigIndex makes an index of 30 MB with 20,000 versions of one chart.
func bigIndex() []byte {
	var b bytes.Buffer
	b.WriteString("apiVersion: v1\nentries:\n  wire-server:\n")
	filler := strings.Repeat("x", 1300)
	for i := range 20_000 {
		fmt.Fprintf(&b, "  - apiVersion: v1\n    created: \"2026-01-01T00:00:00Z\"\n    description: %s\n    digest: %064x\n"+
			"    name: wire-server\n    urls:\n    - charts/wire-server-5.%d.0.tgz\n    version: 5.%d.0\n", filler, i, i, i)
	}
	b.WriteString("generated: \"2026-01-01T00:00:00Z\"\n")
	return b.Bytes()
}

func TestBigIndexNeedsLittleMemory(t *testing.T) {
	index := bigIndex()
	if len(index) < 29_000_000 {
		t.Fatalf("index has only %d bytes", len(index))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := search{name: "wire-server", version: "5.19876.0"}
	if err := s.scan(bytes.NewReader(index)); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if e, err := s.choose(); err != nil || e.URLs[0] != "charts/wire-server-5.19876.0.tgz" {
		t.Fatalf("found %+v, error %v", e, err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 { // allocated in all
		t.Errorf("scanning took %d MiB", got>>20)
	}
}

func BenchmarkBigIndex(b *testing.B) {
	index := bigIndex()
	b.SetBytes(int64(len(index)))
	b.ReportAllocs()
	for b.Loop() {
		s := search{name: "wire-server", version: "5.19876.0"}
		if err := s.scan(bytes.NewReader(index)); err != nil || len(s.found) != 1 {
			b.Fatal(err)
		}
	}
}

// FuzzIndex holds the line scanner against a decoder of the whole: what both
// read, both must read alike.
func FuzzIndex(f *testing.F) {
	for _, seed := range []string{
		helmIndex, "entries:\n  x:\n  - version: 1.0.0\n    urls: [a]\n", `{"entries":{"x":[{"version":"1.0.0","urls":["a"]}]}}`,
		"entries: {x: [{version: 1.0.0}]}", "entries:\n x:\n - version: 1.0.0\n y: 1\n",
	} {
		f.Add([]byte(seed), "x", "1.0.0")
		f.Add([]byte(seed), "nginx", "1.2.0")
	}
	f.Fuzz(func(t *testing.T, data []byte, name, version string) {
		if !chartName.MatchString(name) || !chartVersion.MatchString(version) {
			return
		}
		s := search{name: name, version: version}
		if err := s.scan(bytes.NewReader(data)); err != nil {
			return
		}
		e, err := s.choose()
		if err == nil && (manifests.CompareChartVersions(e.Version, version) == manifests.OtherVersion || len(e.URLs) == 0) {
			t.Fatalf("chose %+v for %s", e, version)
		}
		whole := search{name: name, version: version}
		if err := whole.decodeAll(bytes.NewReader(data)); err != nil {
			return
		}
		if got, want := fmt.Sprint(s.known, s.found), fmt.Sprint(whole.known, whole.found); got != want {
			t.Fatalf("the scanner found %s, a decoder %s", got, want)
		}
	})
}
