package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// pastPrinters are the functions of commands that may print otherwise than a
// printable.Printer does, each with why nothing from outside steers a terminal there or
// looks like a line of the program.
var pastPrinters = map[string]string{
	"main.go run":                "hands the streams to the printers",
	"app.go command":             "turns off what the log package prints",
	"print.go printDocument":     "prints a document as it is, which has no lines of the program",
	"print.go table":             "each cell is made one line, and the columns go to a printer",
	"discover.go text":           "prints rules to paste, which are encoded as YAML",
	"flags.go groupHelp":         "the program's own help, on no printer",
	"patch.go heading":           "writes a file; each argument is made one line",
	"progress.go Notice":         "prints beside bars, and makes it one line",
	"progress.go terminal":       "asks whether there is a terminal",
	"hostprogress_linux.go Done": "prints beside bars, and makes it one line",
	"lost.go endByBrokenPipe":    "raises SIGPIPE by an empty line",
}

// rawOutput is what prints past a printer, by package and name; * is all that there is.
// Whatever an encoder or a table writes on a printer is shown by it.
var rawOutput = map[string][]string{
	"fmt":     {"Print", "Printf", "Println", "Fprint", "Fprintf", "Fprintln"},
	"os":      {"Stdout", "Stderr", "NewFile"},
	"log":     {"*"},
	"syscall": {"Write", "Stdout", "Stderr"},
	"io":      {"WriteString", "Copy", "CopyN", "CopyBuffer", "MultiWriter", "TeeReader"},
}

// rawMethods are those of printers and of cobra's commands that take text as it is, or
// give what is printed on; File is one where it is called without arguments.
var rawMethods = []string{
	"Print", "Println", "PrintErr", "PrintErrf", "PrintErrln", "OutOrStdout", "OutOrStderr", "ErrOrStderr", "Write", "WriteString",
}

// ownStreams are those of a process, which a package below the commands has no use for.
var ownStreams = map[string][]string{
	"fmt": {"Print", "Printf", "Println"}, "os": {"Stdout", "Stderr"}, "log": {"*"}, "syscall": {"Stdout", "Stderr"},
}

// TestCommandsPrintThroughPrinters holds that commands print through the printers of
// the app alone: never on the process's own streams, and never so that a text from
// outside is put into a line as it is.
func TestCommandsPrintThroughPrinters(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, found := range rawPrints(t, name, nil, rawOutput, rawMethods) {
			where := name + " " + found.function
			used[where] = true
			if pastPrinters[where] == "" {
				t.Errorf("%s: %s prints with %s: use Printf or Block of a printer", found.at, found.function, found.what)
			}
		}
	}
	for where := range pastPrinters {
		if !used[where] {
			t.Errorf("%s prints nothing past a printer", where)
		}
	}
}

// TestOnlyCommandsPrint holds that packages print nowhere but where they are told to;
// the workers of charts/sandbox are programs of their own, whose streams are pipes.
func TestOnlyCommandsPrint(t *testing.T) {
	t.Parallel()
	looked := 0
	for _, house := range []string{"bundle", "charts", "manifests", "sizing", "internal"} {
		err := filepath.WalkDir(filepath.Join("..", "..", house), func(name string, _ fs.DirEntry, err error) error {
			helps := strings.Contains(name, "/internal/benchdiscovery/") || strings.Contains(name, "/charts/sandbox/") ||
				strings.Contains(name, "/internal/fixture/") || strings.Contains(name, "/internal/probetest/") || strings.HasSuffix(name, "_test.go")
			if err != nil || helps || !strings.HasSuffix(name, ".go") {
				return err
			}
			looked++
			for _, found := range rawPrints(t, name, nil, ownStreams, nil) {
				t.Errorf("%s: %s prints with %s: take a writer, or give back what is to be said", found.at, found.function, found.what)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if looked < 100 {
		t.Errorf("looked at %d files", looked)
	}
}

// TestRawPrintsAreFound: whatever the packages are called where they are used.
func TestRawPrintsAreFound(t *testing.T) {
	t.Parallel()
	source := `package main
import ("fmt"; say "fmt"; system "os"; "log"; . "io")
func (a *app) a() { fmt.Println("x") }
func b(cmd *cobra.Command) { say.Fprintf(system.Stderr, "x"); cmd.Println("x") }
func c() { println("x"); log.Print("x") }
func d(a *app) { f := a.out.Write; f(nil); a.out.Printf("%s\n", fmt.Sprint("x")); a.out.File(); x(d.File) }
var e = system.Stdout
`
	want := "a fmt.Println, b Println, b fmt.Fprintf, b os.Stderr, c log.Print, c println, d Write, d File, e os.Stdout, imports io as ."
	counted := map[string]bool{}
	for _, found := range rawPrints(t, "x.go", []byte(source), rawOutput, rawMethods) {
		counted[strings.TrimSpace(found.function+" "+found.what)] = true
	}
	for one := range strings.SplitSeq(want, ", ") {
		if !counted[one] {
			t.Errorf("%q was not found", one)
		}
		delete(counted, one)
	}
	if len(counted) > 0 {
		t.Errorf("found also %v", counted)
	}
}

// rawPrint is one place where something is printed past a printer.
type rawPrint struct{ at, function, what string }

// rawPrints finds in one file what prints by functions of packages, builtins or methods.
func rawPrints(t *testing.T, name string, source []byte, output map[string][]string, methods []string) (found []rawPrint) {
	t.Helper()
	set := token.NewFileSet()
	if source == nil {
		var err error
		if source, err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	file, err := parser.ParseFile(set, name, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]string{}
	for _, imported := range file.Imports {
		way, err := strconv.Unquote(imported.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case imported.Name == nil:
			packages[way[strings.LastIndexByte(way, '/')+1:]] = way
		case imported.Name.Name == "." && output[way] != nil:
			found = append(found, rawPrint{set.Position(imported.Pos()).String(), "imports", way + " as ."})
		default:
			packages[imported.Name.Name] = way
		}
	}
	for _, declared := range file.Decls {
		ast.Inspect(declared, func(node ast.Node) bool {
			if what := rawPrintOf(node, packages, output, methods); what != "" {
				found = append(found, rawPrint{set.Position(node.Pos()).String(), declaredName(declared), what})
			}
			return true
		})
	}
	return found
}

// rawPrintOf says what a node prints with past a printer, or nothing.
func rawPrintOf(node ast.Node, packages map[string]string, output map[string][]string, methods []string) string {
	has := func(list []string, name string) bool {
		return strings.Contains(fmt.Sprintf(" %s ", strings.Join(list, " ")), " "+name+" ") || len(list) == 1 && list[0] == "*"
	}
	switch node := node.(type) {
	case *ast.CallExpr:
		if named, ok := node.Fun.(*ast.Ident); ok && (named.Name == "print" || named.Name == "println") && named.Obj == nil {
			return named.Name
		}
		if method, ok := node.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "File" && len(node.Args) == 0 && methods != nil {
			return "File"
		}
	case *ast.SelectorExpr:
		if of, ok := node.X.(*ast.Ident); ok && of.Obj == nil && packages[of.Name] != "" {
			if way := packages[of.Name]; has(output[way], node.Sel.Name) {
				return way + "." + node.Sel.Name
			}
			return ""
		}
		if has(methods, node.Sel.Name) {
			return node.Sel.Name
		}
	}
	return ""
}

func declaredName(declared ast.Decl) string {
	switch declared := declared.(type) {
	case *ast.FuncDecl:
		return declared.Name.Name
	case *ast.GenDecl:
		if value, ok := declared.Specs[0].(*ast.ValueSpec); ok {
			return value.Names[0].Name
		}
	}
	return ""
}
