package e2e

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// A language that nobody speaks: each text of the English catalogue in brackets.
// Its plurals and numbers are those of Esperanto.
const toyTag = "eo"

// buildWithToy builds the program with one more catalogue in the folder of
// catalogues, and nothing else: the file stands in an overlay, the source as it is.
func buildWithToy() (string, error) {
	folder, err := os.MkdirTemp("", "island-toy-")
	if err != nil {
		return "", err
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		return "", err
	}
	catalogues := filepath.Join(root, "internal", "words")
	toy, err := toyCatalogue(filepath.Join(catalogues, "en.yaml"))
	if err != nil {
		return "", err
	}
	more := map[string]string{filepath.Join(catalogues, toyTag+".yaml"): filepath.Join(folder, "toy.yaml")}
	overlay, err := json.Marshal(map[string]any{"Replace": more})
	if err != nil {
		return "", err
	}
	for name, data := range map[string][]byte{"toy.yaml": toy, "overlay.json": overlay} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			return "", err
		}
	}
	program := filepath.Join(folder, "island")
	build := exec.Command(
		"go", "build", "-trimpath", "-buildvcs=false", "-overlay", filepath.Join(folder, "overlay.json"), "-o", program,
		"./cmd/island",
	)
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build with a further language: %w\n%s", err, said)
	}
	return program, nil
}

// toyCatalogue puts every text of a catalogue into brackets.
func toyCatalogue(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var document struct {
		Name  string    `yaml:"name"`
		Words yaml.Node `yaml:"words"`
	}
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	document.Name = "Toy"
	bracket(&document.Words)
	return yaml.Marshal(&document)
}

func bracket(node *yaml.Node) {
	isPlural := false
	for i := 0; i+1 < len(node.Content); i += 2 {
		isPlural = isPlural || node.Content[i].Value == "other"
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		switch key, value := node.Content[i], node.Content[i+1]; {
		case value.Kind == yaml.MappingNode:
			bracket(value)
		case isPlural && key.Value == "count": // names an argument
		default:
			value.Value = "⟦" + value.Value + "⟧"
			value.Style = yaml.DoubleQuotedStyle
		}
	}
}

// toySurvey is of a site with faults of many kinds, as --facts reads it.
func toySurvey(t *testing.T) string {
	t.Helper()
	s := facts.NewSurvey(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	host := func(name, group string, reach facts.Outcome, detail message.Text) facts.Host {
		return facts.Host{
			Name: name, Address: "10.0.0.1", Groups: []string{group},
			Reach: facts.Reach{Outcome: reach, Detail: detail, Method: message.Plain("ssh")},
		}
	}
	down := host("h1", "minio", facts.Killed, message.Of("facts.reach.signal", message.Args{"signal": 9}))
	bare := host("h2", "cassandra", facts.Reached, message.Text{})
	bare.Facts = &facts.Facts{APIVersion: facts.APIVersion, Kind: facts.Kind, Name: "h2", Paths: []facts.Path{}}
	bare.Facts.CPU.Usable = facts.Value[float64]{Value: 1.5, Method: message.Of("facts.method.usable", nil), Source: "/proc/1"}
	bare.Facts.CPU.AES = facts.Value[bool]{Method: message.Of("facts.method.flag", message.Args{"flag": "aes"}), Source: "/proc/1"}
	bare.Facts.Memory.Usable = facts.Value[int64]{
		Method: message.Of("facts.method.memory-usable", nil), Unread: message.Of("facts.unread.no-memory", nil),
	}
	s.Hosts = []facts.Host{down, bare}
	s.Links = []facts.Link{
		{From: "h2", To: "h1", Protocol: "tcp", Port: 9042, Rows: []string{"cassandra-clients"}, Outcome: facts.TimedOut},
		{
			From: "h1", To: "h2", Protocol: "tcp", Port: 7000, Rows: []string{"cassandra-gossip"}, Outcome: facts.WrongHost,
			Detail: message.Of("facts.link.silent", nil),
		},
	}
	s.Site = []facts.Observation{
		{Subject: facts.SubjectMail, Object: "10.0.0.9:25", Outcome: facts.WrongHost, Detail: message.Of(
			"facts.seen.greets", message.Args{"greeting": "554"},
		),
			Method: message.Of("facts.method.smtp", nil)},
		{Subject: facts.SubjectRoute, Outcome: facts.OK, Method: message.Of("facts.method.way-out", nil)},
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "survey.json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestThirdLanguage is one file: with a catalogue more, and nothing else, reports
// speak a further language, in every word.
func TestThirdLanguage(t *testing.T) {
	t.Parallel()
	saved := toySurvey(t)
	for name, args := range map[string][]string{
		"size":      {"size", "--users", "2500", "--conferences", "10x8,2x50"},
		"preflight": {"preflight", "--facts", saved, "--all"},
	} {
		page := filepath.Join(t.TempDir(), "report.html")
		said, err := exec.CommandContext(t.Context(), islandWithToy, append(args, "--lang", toyTag, "--html", page)...).Output()
		if code := new(exec.ExitError); err != nil && (name == "size" || !strings.Contains(fmt.Sprint(err), "exit status 4")) {
			t.Fatalf("%s: %v, %v\n%s", name, err, code, said)
		}
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), `<html lang="`+toyTag+`">`) {
			t.Errorf("%s: the page does not say its language", name)
		}
		for what, text := range map[string]string{"text": string(said), "page": textOf(string(data))} {
			if strings.Count(text, "⟦") < 30 {
				t.Errorf("%s: hardly anything in the %s is in the language:\n%s", name, what, text)
			}
			if found := foreignWords(t, text); len(found) > 0 {
				t.Errorf("%s: words of another language in the %s: %q", name, what, found)
			}
		}
	}
}

var (
	styleSheet = regexp.MustCompile(`(?s)<style>.*?</style>`)
	attributes = regexp.MustCompile(`(?:aria-label|title|alt)="([^"]*)"`)
	tags       = regexp.MustCompile(`<[^>]*>`)
	letters    = regexp.MustCompile(`[A-Za-zäöüß]+`)
)

// textOf returns what a reader is told by a page, those included who hear it.
func textOf(page string) string {
	page = styleSheet.ReplaceAllString(page, "")
	page = attributes.ReplaceAllString(page, "> $1 <")
	return html.UnescapeString(tags.ReplaceAllString(page, "\n"))
}

// names are the same in every language.
var names = []string{
	"island", "guide", "ssh", "tcp", "udp", "Linux", "Android", "iOS",
	"Cassandra", "MinIO", "Elasticsearch", "Kubernetes", "Restund",
}

// foreignWords are words outside the brackets that the English catalogue uses.
func foreignWords(t *testing.T, text string) []string {
	t.Helper()
	catalogue, err := os.ReadFile("../../../internal/words/en.yaml")
	if err != nil {
		t.Fatal(err)
	}
	asTheyAre := slices.Clone(names)
	for file, end := range map[string]string{"tables/guide.yaml": "\nnotes:", "site/callports.yaml": "\nrows:"} {
		data, err := os.ReadFile("../../../sizing/" + file)
		if err != nil {
			t.Fatal(err)
		}
		sources, _, _ := strings.Cut(string(data), end) // whose titles are what they are
		asTheyAre = append(asTheyAre, letters.FindAllString(sources, -1)...)
	}
	english := map[string]bool{}
	for line := range strings.Lines(string(catalogue)) {
		if _, words, ok := strings.Cut(line, ": "); ok {
			for _, word := range letters.FindAllString(words, -1) {
				english[word] = len(word) > 2
			}
		}
	}
	depth := 0
	outside := strings.Map(func(r rune) rune {
		switch r {
		case '⟦':
			depth++
			return ' '
		case '⟧':
			depth--
			return ' '
		}
		if depth > 0 {
			return -1
		}
		return r
	}, text)
	var found []string
	for word := range strings.FieldsSeq(outside) {
		word = strings.Trim(word, ".,:;()")
		if english[word] && !slices.Contains(asTheyAre, word) && !slices.Contains(found, word) {
			found = append(found, word)
		}
	}
	return found
}
