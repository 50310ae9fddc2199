package island

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
)

// madeCodes are the beginnings of codes that programs put together, and of what
// the rest is.
var madeCodes = []string{
	// checks.yaml, ports.yaml, outcomes of dialling and of checks, what is required and by whom, and units
	"preflight.check.", "preflight.port.", "preflight.mark.", "preflight.outcome.", "preflight.required.",
	"preflight.source.", "preflight.unit.", "preflight.end.",
	"facts.outcome.", // how attempts end
	// what tables and scenarios say, what belongs to a figure, columns, and the values of types
	"sizing.table.", "sizing.scenario.", "sizing.figure.", "sizing.text.", "sizing.hardware.total.",
	"sizing.call-port.", // callports.yaml
	"sizing.level.", "sizing.bound.", "sizing.verdict.",
	"role.",                               // what tables call machines
	"unit.", "list.", "number.", "value.", // the catalogues' own
}

// firstIsCode are the functions whose first argument is a code; the last
// fills its gaps.
var firstIsCode = []string{"Of", "Named", "Say", "Word", "say", "NewProblem", "wrong", "strange"}

// uses collects the strings of the source, all codes among them.
type uses struct {
	t     *testing.T
	files *token.FileSet
	codes map[string]bool
}

// TestCodesAndCatalogues holds the codes in the source and those of the catalogue
// together: a code that is said has words and its gaps are filled, and no words are
// there that nobody says.
func TestCodesAndCatalogues(t *testing.T) {
	u := &uses{t, token.NewFileSet(), map[string]bool{}}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && path != "." || entry.Name() == "testdata"):
			return fs.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			u.source(path)
		case strings.HasSuffix(path, ".tmpl"):
			u.template(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(u.codes) < 200 {
		t.Errorf("only %d codes are found", len(u.codes))
	}
	made := func(code string) bool {
		return slices.ContainsFunc(madeCodes, func(prefix string) bool { return strings.HasPrefix(code, prefix) })
	}
	for _, code := range words.English().Codes() {
		if !u.codes[code] && !made(code) {
			t.Errorf("nobody says %s", code)
		}
	}
	for _, prefix := range madeCodes {
		if !slices.ContainsFunc(words.English().Codes(), func(code string) bool { return strings.HasPrefix(code, prefix) }) {
			t.Errorf("no code begins with %s", prefix)
		}
	}
}

// TestNobodyPromisesServing holds texts to what the program does: a bundle is
// copied, unpacked and imported, and there is no command that serves it.
func TestNobodyPromisesServing(t *testing.T) {
	serving := regexp.MustCompile(`(?i)\bserved? (?:from )?(?:the bundle |there )?in place\b|\bserves? the bundle\b|\bbundle is served\b|` +
		`\bserved from (?:the bundle|there)\b|\bdirekt ausgeliefert|\bausgeliefert wird es|\bBundle direkt ausliefern`)
	texts, err := filepath.Glob("internal/words/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Glob("docs/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range slices.Concat(texts, docs, []string{"README.md", "bundle/readme.go"}) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if said := serving.Find(data); said != nil {
			t.Errorf("%s says %q, and no command does it", file, said)
		}
	}
}

// source reads the codes of a file: whatever looks like one, and what functions
// are given as one.
func (u *uses) source(path string) {
	file, err := parser.ParseFile(u.files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		u.t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				u.codes[text], u.codes[whole(path, text)] = true, true
				u.asked(path, text)
			}
		case *ast.CallExpr:
			u.call(path, n)
		}
		return true
	})
}

// sections are the parts of the catalogues that one room each has.
var sections = regexp.MustCompile(`^(facts|preflight|page|patches|sizing|values)\.[a-z0-9.-]*[a-z0-9]$`)

// call looks at what a function is given as a code.
func (u *uses) call(path string, call *ast.CallExpr) {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	if !slices.Contains(firstIsCode, name) || len(call.Args) == 0 {
		return
	}
	literal, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return
	}
	code, err := strconv.Unquote(literal.Value)
	if code = whole(path, code); err != nil || !sections.MatchString(code) {
		return
	}
	gaps, there := words.English().Gaps(code)
	if !there {
		u.t.Errorf("%s: no catalogue has %s", u.files.Position(call.Pos()), code)
		return
	}
	last, ok := call.Args[len(call.Args)-1].(*ast.CompositeLit)
	if !ok {
		if none, isName := call.Args[len(call.Args)-1].(*ast.Ident); len(gaps) > 0 && isName && none.Name == "nil" && name != "wrong" {
			u.t.Errorf("%s: nothing fills the gaps %q of %s", u.files.Position(call.Pos()), gaps, code)
		}
		return
	}
	var filled []string
	for _, element := range last.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.BasicLit); ok {
				argument, _ := strconv.Unquote(key.Value)
				filled = append(filled, argument)
			}
		}
	}
	if name == "wrong" { // which adds the field
		filled = append(filled, "field")
	}
	if slices.Sort(filled); !slices.Equal(filled, gaps) {
		u.t.Errorf("%s: %s has the gaps %q, of which %q are filled", u.files.Position(call.Pos()), code, gaps, filled)
	}
}

// asked are the codes in a template.
var asked = regexp.MustCompile(`\b(?:[wW]ord|Say) "([^"]+)"`)

// template reads the codes of a page.
func (u *uses) template(path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		u.t.Fatal(err)
	}
	u.asked(path, string(data))
}

func (u *uses) asked(path, text string) {
	for _, match := range asked.FindAllStringSubmatch(text, -1) {
		code := whole(path, match[1])
		u.codes[code] = true
		if _, there := words.English().Gaps(code); !there {
			u.t.Errorf("%s: no catalogue has %s", path, code)
		}
	}
}

// whole returns a code as the catalogues have it: what sizes leaves out where all
// its codes stand.
func whole(path, code string) string {
	if strings.HasPrefix(path, "sizing/") && !strings.HasPrefix(path, "sizing/preflight/") {
		return "sizing." + code
	}
	return code
}
