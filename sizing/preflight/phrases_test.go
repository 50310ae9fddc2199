package preflight

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// TestEveryOutcomeHasWords reads the outcomes where they are declared, so that
// none is forgotten.
func TestEveryOutcomeHasWords(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("facts/survey.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\t[A-Z]\w+ +Outcome = "([a-z-]+)"`).FindAllSubmatch(source, -1)
	if len(declared) != len(outcomeWords) {
		t.Errorf("%d outcomes are declared, %d have words", len(declared), len(outcomeWords))
	}
	for _, match := range declared {
		if text := outcomeWords[facts.Outcome(match[1])]; !text.Complete() {
			t.Errorf("%s has no words in both languages", match[1])
		}
	}
}

// TestPhrasesFit wants the same things filled in in both languages, in the same
// order, and no percent sign but for them.
func TestPhrasesFit(t *testing.T) {
	t.Parallel()
	verb := regexp.MustCompile(`%.?`)
	for _, p := range phrases {
		en := verb.FindAllString(p.en, -1)
		if !slices.Equal(en, verb.FindAllString(p.de, -1)) || slices.ContainsFunc(en, func(v string) bool { return v != "%s" && v != "%w" }) {
			t.Errorf("%q and %q do not fit", p.en, p.de)
		}
	}
}

func TestPhrase(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]page.Text{
		"timed-out":                  {EN: "timed out", DE: "Zeitüberschreitung"},
		"cores":                      {EN: "cores", DE: "Kerne"},
		"outside 30000–32767":        {EN: "outside 30000–32767", DE: "außerhalb von 30000–32767"},
		"inventory groups":           {EN: "inventory groups", DE: "Gruppen des Inventorys"},
		"default routes (/proc/net)": {EN: "default routes (/proc/net)", DE: "Standardrouten (/proc/net)"},
		"STUN binding request over UDP from the admin host":                   {EN: "STUN binding request over UDP from the admin host", DE: "STUN-Binding-Anfrage über UDP vom Admin-Host aus"},
		"failed: the probe was ended by signal 9":                             {EN: "failed: the probe was ended by signal 9", DE: "fehlgeschlagen: das Messprogramm wurde durch Signal 9 beendet"},
		"host is Linux on ppc64; probes are for Linux on x86_64 and aarch64":  {EN: "host is Linux on ppc64; probes are for Linux on x86_64 and aarch64", DE: "Host ist Linux auf ppc64; Messprogramme gibt es für Linux auf x86_64 und aarch64"},
		"takes root or net.ipv4.ping_group_range: not permitted without root": {EN: "takes root or net.ipv4.ping_group_range: not permitted without root", DE: "braucht root oder net.ipv4.ping_group_range: ohne root nicht erlaubt"},
		"leads to free": {EN: "leads to free", DE: "führt zu free"}, // a host
		"/ca (old)/root.pem holds no root certificate": {EN: "/ca (old)/root.pem holds no root certificate", DE: "/ca (old)/root.pem enthält kein Stammzertifikat"},
		"hosts.name: more than 4096 members":           {EN: "hosts.name: more than 4096 members", DE: "hosts.name: mehr als 4096 Einträge"},
		"ssh: not an outcome":                          {EN: "ssh: not an outcome", DE: "ssh: not an outcome"},
		"static.example.org":                           {EN: "static.example.org", DE: "static.example.org"}, // a name, no word
		"0.003 ± 0.002":                                {EN: "0.003 ± 0.002", DE: "0,003 ± 0,002"},
		"≤ 0.1":                                        {EN: "≤ 0.1", DE: "≤ 0,1"},
		"5.30.0":                                       {EN: "5.30.0", DE: "5.30.0"}, // a version
		"":                                             {},
	} {
		if got := Phrase(in); got != want {
			t.Errorf("%q is %q, not %q", in, got, want)
		}
	}
}

// told are the places whose words reach a finding: what surveys, measures and
// observes, and what of the command reads facts and finds the probe.
var told = []string{
	"judge_observed.go", "facts/*.go", "internal/observe/*.go", "probe/*.go", "remote/*.go", "survey/*.go",
	"../../cmd/island/measure_linux.go", "../../cmd/island/preflightfacts.go",
}

// untold are texts among theirs that no finding repeats, and why.
var untold = map[string]string{
	"line is too long":                "is told in other words",
	"too much":                        "ends a stream, of which nobody asks why",
	"not a survey of X but X, kind X": "is the operator's own file",
	"survey is of version X, this program reads 1 and X": "is the operator's own file",
	"host X: facts are of X, not X":                      "is the operator's own file",
	"not a regular file":                                 "is the operator's own file",
	"ssh":                                                "is a name",
	"ECDSA, X":                                           "is a name",
}

// TestEveryDetailIsSaidInGerman reads the details that may stand in a finding
// where they are made, so that none is forgotten. What the operating system or a
// library says, X here, stays as it is.
func TestEveryDetailIsSaidInGerman(t *testing.T) {
	t.Parallel()
	d := readDetails(t)
	if len(d.found) < 80 {
		t.Errorf("only %d details are found: %q", len(d.found), slices.Sorted(maps.Keys(d.found)))
	}
	for text, place := range d.found {
		if _, ok := untold[text]; ok {
			continue
		}
		german := Phrase(text).DE
		for piece := range strings.SplitSeq(text, "X") {
			piece = strings.Trim(piece, " :;,()")
			if isWords := strings.Contains(piece, " "); german == text || isWords && strings.Contains(german, piece) {
				t.Errorf("%s: phrases has no German for %q, only %q", place, text, german)
				break
			}
		}
	}
	for text, why := range untold {
		if d.found[text] == "" {
			t.Errorf("%q, which %s, is nowhere any more", text, why)
		}
	}
}

// details are the texts that a program can put into a finding, with X for what
// it fills in, and where each is made.
type details struct {
	files  *token.FileSet
	values map[string][]ast.Expr // of constants and variables, by their names
	found  map[string]string
}

func readDetails(t *testing.T) *details {
	t.Helper()
	d := &details{token.NewFileSet(), map[string][]ast.Expr{}, map[string]string{}}
	var parsed []*ast.File
	for _, pattern := range told {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(d.files, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, file)
		}
	}
	for _, file := range parsed {
		ast.Inspect(file, d.name)
	}
	for _, file := range parsed {
		ast.Inspect(file, d.collect)
	}
	return d
}

// name keeps what constants and variables are declared with.
func (d *details) name(n ast.Node) bool {
	if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
		for i, name := range spec.Names {
			d.values[name.Name] = append(d.values[name.Name], spec.Values[i])
		}
	}
	return true
}

// collect finds where details are made: fields that hold them, errors, and what
// functions give that say how something ended.
func (d *details) collect(n ast.Node) bool {
	holds := func(name string) bool {
		return slices.Contains([]string{"Detail", "Unread", "Refused", "Method"}, name)
	}
	switch n := n.(type) {
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && holds(key.Name) {
			d.add(n.Value)
		}
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			if name := nameOf(to); (holds(name) || name == "method") && len(n.Lhs) == len(n.Rhs) {
				d.add(n.Rhs[i])
			}
		}
	case *ast.CallExpr:
		switch called := nameOf(n.Fun); called {
		case "unreached":
			d.add(n.Args[1])
		case "SetString": // of a field that is found by its name
			d.add(n.Args[0])
		case "New", "Errorf":
			if selector, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"errors", "fmt"}, nameOf(selector.X)) {
				d.add(n)
			}
		}
	case *ast.FuncDecl:
		if n.Name.Name == "reason" || endsWithOutcome(n) {
			ast.Inspect(n.Body, func(inner ast.Node) bool {
				if result, ok := inner.(*ast.ReturnStmt); ok && len(result.Results) > 0 {
					d.add(result.Results[len(result.Results)-1])
				}
				return true
			})
		}
	case *ast.BasicLit: // the script that is sent to hosts
		for _, match := range failures.FindAllStringSubmatch(n.Value, -1) {
			d.keep(shellVariables.ReplaceAllString(match[1], "X"), n)
		}
	}
	return true
}

// endsWithOutcome tells functions that give an outcome and a detail.
func endsWithOutcome(f *ast.FuncDecl) bool {
	results := f.Type.Results
	return results != nil && len(results.List) == 2 && nameOf(results.List[0].Type) == "Outcome" && nameOf(results.List[1].Type) == "string"
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func (d *details) add(e ast.Expr) {
	for _, text := range d.texts(e, 0) {
		d.keep(text, e)
	}
}

func (d *details) keep(text string, n ast.Node) {
	if strings.ContainsFunc(strings.ReplaceAll(text, "X", ""), unicode.IsLetter) {
		d.found[text] = d.files.Position(n.Pos()).String()
	}
}

var (
	verbs          = regexp.MustCompile(`%[-+.0-9]*[a-z]`)
	failures       = regexp.MustCompile(`\bfail [a-z-]+ "([^"]+)"`)
	shellVariables = regexp.MustCompile(`\$\w+`)
)

// texts returns what an expression can be, with X for what is not written there.
func (d *details) texts(e ast.Expr, depth int) []string {
	if depth > 8 {
		return []string{"X"}
	}
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return []string{text}
		}
	case *ast.BinaryExpr:
		var all []string
		for _, left := range d.texts(e.X, depth+1) {
			for _, right := range d.texts(e.Y, depth+1) {
				all = append(all, left+right)
			}
		}
		return all
	case *ast.Ident:
		var all []string
		for _, value := range d.values[e.Name] {
			all = append(all, d.texts(value, depth+1)...)
		}
		if len(all) > 0 {
			return all
		}
	case *ast.SelectorExpr:
		if nameOf(e.X) == "facts" { // a constant; else a field
			return d.texts(e.Sel, depth)
		}
	case *ast.CallExpr:
		switch nameOf(e.Fun) {
		case "Cut", "New": // of facts, of errors
			return d.texts(e.Args[0], depth+1)
		case "Or": // of cmp
			var all []string
			for _, arg := range e.Args {
				all = append(all, d.texts(arg, depth+1)...)
			}
			return all
		case "Sprintf", "Errorf":
			return d.formatted(e, depth)
		}
	}
	return []string{"X"}
}

// formatted fills errors of this program into a format, and X for all else.
func (d *details) formatted(e *ast.CallExpr, depth int) []string {
	all := d.texts(e.Args[0], depth+1)
	for i := range all {
		arg := 0
		all[i] = verbs.ReplaceAllStringFunc(all[i], func(verb string) string {
			arg++
			if verb == "%w" && arg < len(e.Args) {
				return d.texts(e.Args[arg], depth+1)[0]
			}
			return "X"
		})
	}
	return all
}
