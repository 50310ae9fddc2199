package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/diff"
	"github.com/islandbundle/island/manifests/schema"
	"github.com/islandbundle/island/manifests/schema/schematest"
)

const outputSchema = "output.schema.json"

// output is what one form of a command prints with --output json.
type output struct {
	name    string // of the definition
	command string
	result  result
	file    string // the schema, where the result has one of its own
}

var outputs = []output{
	{name: "keygen", command: "keygen", result: keygenResult{}},
	{name: "sign", command: "sign", result: signResult{}},
	{name: "patches", command: "patches", result: patchList{}},
	{name: "patch-from", command: "patch from", result: patchFromResult{}},
	{name: "discover", command: "discover", result: discoverResult{}},
	{name: "resolve", command: "resolve", result: resolveResult{}},
	{name: "build", command: "build", result: buildResult{}},
	{name: "verify", command: "verify", result: verifyResult{}},
	{name: "apply", command: "apply", result: applyResult{}},
	{name: "show", command: "show", result: overview{}},
	{name: "show-images", command: "show", result: imageList{}},
	{name: "show-charts", command: "show", result: chartList{}},
	{name: "show-files", command: "show", result: fileList{}},
	{name: "show-values", command: "show", result: valuesList{}},
	{name: "show-left-out", command: "show", result: omissionList{}},
	{name: "show-patches", command: "show", result: patchDetails{}},
	{name: "show-why", command: "show", result: whyResult{}},
	{name: "diff", command: "diff", result: diffResult{}},
	{name: "status", command: "status", result: statusResult{}},
	{name: "upgrade-path", command: "upgrade-path", result: upgradePathResult{}},
	{name: "values-check", command: "values check", result: valuesResult{}},
	{name: "size", command: "size", result: sizeResult{}, file: "sizing-report.schema.json"},
	{name: "preflight", command: "preflight", result: preflightResult{}, file: "preflight-report.schema.json"},
}

// withoutResult are the commands that print none.
var withoutResult = []string{"man"}

func makeOutputSchema(comments schema.Comments) schema.Object {
	names := map[reflect.Type]string{}
	for _, o := range outputs {
		names[reflect.TypeOf(o.result)] = o.name
	}
	w := &schema.Writer{
		Comments: comments, Written: true, NullLists: true, Defs: schema.Object{},
		Name: func(t reflect.Type) string {
			if name, ok := names[t]; ok {
				return name
			}
			return strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
		},
		Inline: func(t reflect.Type) schema.Object {
			switch t {
			case reflect.TypeFor[manifests.Digest]():
				return schema.Object{"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
			case reflect.TypeFor[manifests.Date](): // empty where there is none
				return schema.Object{"type": "string", "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"}
			case reflect.TypeFor[manifests.Sequence]():
				return schema.Object{"type": "integer", "minimum": 0, "maximum": uint64(manifests.MaxSequence)}
			case reflect.TypeFor[message.Text](): // as preflight's reports have it
				return schema.Object{"$ref": "preflight-report.schema.json#/$defs/Text"}
			}
			return nil
		},
	}
	var each []schema.Object
	for _, o := range outputs {
		each = append(each, schema.Object{"$ref": "#/$defs/" + o.name})
		if o.file != "" {
			w.Defs[o.name] = schema.Object{"$ref": o.file}
			continue
		}
		made := w.Of(reflect.TypeOf(o.result))
		if made["$ref"] == nil { // a list
			made["type"] = []string{"array", "null"}
			w.Defs[o.name] = made
		}
		title := "island " + o.command
		if flag, ok := strings.CutPrefix(o.name, o.command+"-"); ok {
			title += " --" + flag
		}
		w.Defs[o.name].(schema.Object)["title"] = title
	}
	return w.Document(outputSchema, "What island prints with --output json",
		"Made from the types of the results; docs/output.md explains it. There is a definition for each command, called as the command is.",
		schema.Object{"anyOf": each})
}

func outputComments(t *testing.T) schema.Comments {
	t.Helper()
	comments := schema.Comments{}
	for folder, example := range map[string]reflect.Type{
		".": reflect.TypeFor[overview](), "../../manifests": reflect.TypeFor[manifests.Lock](),
		"../../manifests/diff": reflect.TypeFor[diff.Difference](),
		"../../bundle":         reflect.TypeFor[bundle.DeltaBase](), "../../charts": reflect.TypeFor[charts.Conflict](),
	} {
		if err := comments.Read(example, filepath.FromSlash(folder)); err != nil {
			t.Fatal(err)
		}
	}
	return comments
}

func docFile(name string) string { return filepath.Join("..", "..", "docs", name) }

func TestOutputSchemaIsThatOfTheCode(t *testing.T) {
	schematest.Published(t, docFile(outputSchema), makeOutputSchema(outputComments(t)))
}

// TestEveryCommandIsListed wants every command, and every type that is a
// result, in the list above and on the page.
func TestEveryCommandIsListed(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(docFile("output.md"))
	if err != nil {
		t.Fatal(err)
	}
	types, commands := map[string]bool{}, map[string]bool{}
	for _, o := range outputs {
		types[reflect.TypeOf(o.result).Name()], commands[o.command] = true, true
		if !bytes.Contains(page, []byte("| `"+o.name+"` |")) {
			t.Errorf("docs/output.md does not list `%s`", o.name)
		}
	}
	for _, name := range resultTypes(t) {
		if !types[name] {
			t.Errorf("%s is a result and not listed", name)
		}
	}
	eachCommand(newApp(io.Discard, io.Discard, nil).command(), func(cmd *cobra.Command) {
		name := strings.TrimPrefix(cmd.CommandPath(), "island ")
		if !cmd.HasSubCommands() && !commands[name] && !slices.Contains(withoutResult, name) {
			t.Errorf("island %s prints something that is not listed", name)
		}
	})
}

// resultTypes returns the types that have the method of a result. One that is
// embedded in others stands for a part of them.
func resultTypes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found, embedded := map[string]bool{}, map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "text" && n.Recv != nil && len(n.Type.Params.List) == 1 {
					receiver := n.Recv.List[0].Type
					if pointer, ok := receiver.(*ast.StarExpr); ok {
						receiver = pointer.X
					}
					found[receiver.(*ast.Ident).Name] = true
				}
			case *ast.Field:
				if ident, ok := n.Type.(*ast.Ident); ok && n.Names == nil {
					embedded[ident.Name] = true
				}
			}
			return true
		})
	}
	maps.DeleteFunc(found, func(name string, _ bool) bool { return embedded[name] })
	return slices.Sorted(maps.Keys(found))
}

// outputSchemas returns the published schemas, by the names of the outputs.
func outputSchemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	files := []string{docFile(outputSchema)}
	for _, o := range outputs {
		if o.file != "" {
			files = append(files, docFile(o.file))
		}
	}
	compiler := schematest.Compiler(t, files...)
	compiled := map[string]*jsonschema.Schema{}
	for _, o := range outputs {
		var err error
		if compiled[o.name], err = compiler.Compile(schema.Home + outputSchema + "#/$defs/" + o.name); err != nil {
			t.Fatal(err)
		}
	}
	return compiled
}

func checkOutput(t *testing.T, schema *jsonschema.Schema, text []byte) {
	t.Helper()
	value := schematest.Parse(t, text)
	if err := schema.Validate(value); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	if object, ok := value.(map[string]any); ok {
		object["unknown"] = true
		if schema.Validate(value) == nil {
			t.Errorf("the schema accepts an unknown field")
		}
		delete(object, "unknown")
	}
	if schema.Validate("text") == nil {
		t.Errorf("the schema accepts a string")
	}
}

// TestSchemaDescribesWhatIsPrinted prints every result, once with every field
// and once with as few as can be.
func TestSchemaDescribesWhatIsPrinted(t *testing.T) {
	t.Parallel()
	schemas := outputSchemas(t)
	for _, o := range outputs {
		if o.file != "" {
			continue // held to its schema where the report is made
		}
		for form, whole := range map[string]bool{"whole": true, "bare": false} {
			t.Run(o.name+"/"+form, func(t *testing.T) {
				value := reflect.New(reflect.TypeOf(o.result)).Elem()
				fill(t, value, whole)
				var out bytes.Buffer
				app := newApp(&out, io.Discard, nil)
				app.format = "json"
				if err := app.print(value.Interface().(result)); err != nil {
					t.Fatal(err)
				}
				checkOutput(t, schemas[o.name], out.Bytes())
			})
		}
	}
}

var samples = map[reflect.Type]string{
	reflect.TypeFor[manifests.Digest]():    `"sha256:` + strings.Repeat("a", 64) + `"`,
	reflect.TypeFor[manifests.Date]():      `"2026-03-31"`,
	reflect.TypeFor[manifests.Platform]():  `"linux/amd64"`,
	reflect.TypeFor[manifests.ImageRef]():  `"quay.io/wire/brig:1.0.0"`,
	reflect.TypeFor[map[string]bool]():     `{"mlsstats": true}`,
	reflect.TypeFor[map[string][]string](): `{"reaper": ["", "wire"]}`,
	reflect.TypeFor[message.Text]():        `{"code": "a.b", "args": {"range": ">=1.27", "also": {"text": "c"}}}`,
}

// fill returns every field a value, or only those that are always printed.
func fill(t *testing.T, v reflect.Value, whole bool) {
	if sample, ok := samples[v.Type()]; ok {
		if err := json.Unmarshal([]byte(sample), v.Addr().Interface()); err != nil {
			t.Fatal(err)
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("a")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1 << 30)
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(9.8)
	case reflect.Interface:
		v.Set(reflect.ValueOf("a"))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), whole)
	case reflect.Slice:
		if whole {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(t, v.Index(0), whole)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if (field.IsExported() || field.Anonymous) && (whole || !strings.Contains(field.Tag.Get("json"), ",omit")) {
				fill(t, v.Field(i), whole)
			}
		}
	default:
		t.Fatalf("no sample of %s", v.Type())
	}
}

// TestCommandsPrintWhatTheSchemaSays runs commands that need no network.
func TestCommandsPrintWhatTheSchemaSays(t *testing.T) {
	schemas := outputSchemas(t)
	folder := t.TempDir()
	t.Chdir(folder)
	t.Setenv("COSIGN_PASSWORD", "")
	t.Setenv("XDG_CACHE_HOME", filepath.Join(folder, ".cache"))
	const head = "apiVersion: island/v1\nkind: Release\n" +
		"metadata: {name: demo, version: VERSION, cycle: 2026-H1, date: 2026-01-15}\nplatforms: [linux/amd64]\ncharts:\n"
	for name, text := range map[string]string{
		"old.yaml": strings.Replace(head, "VERSION", "1.0.0", 1) + "  - {name: web, repo: https://charts.example, version: 1.0.0}\n",
		"new.yaml": strings.Replace(head, "VERSION", "1.1.0", 1) + "  - {name: web, repo: https://charts.example, version: 1.1.0}\n",
		"chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n" +
			"dependencies: [{name: more, version: 1.x, condition: more.enabled, repository: https://charts.example}]\n",
		"chart/charts/more/Chart.yaml": "apiVersion: v2\nname: more\nversion: 1.0.0\n",
		"chart/values.yaml":            "more: {enabled: false}\n",
		"chart/templates/pods.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n" +
			"spec: {containers: [{name: a, image: \"example.com/a:1.0.0\"}, {name: b, image: \"example.com/a:1.0.1\"}]}\n" +
			"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {secret: {{ required \"secret is needed\" .Values.secret }}}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ name, args string }{
		{"keygen", "keygen"},
		{"sign", "sign old.yaml --key island.key"},
		{"patch-from", "patch from old.yaml new.yaml --id WIRE-2026-001 --severity critical " +
			"--date 2026-02-01 --deadline 2026-03-01 --cve CVE-2026-12345=9.8 -o p.yaml"},
		{"patches", "patches -f old.yaml -p p.yaml --today 2026-04-01"},
		{"status", "status old.yaml -p p.yaml --today 2026-04-01"},
		{"diff", "diff old.yaml new.yaml"},
		{"upgrade-path", "upgrade-path --from 5.25.0 --to 5.30.0 --federated --kubernetes 1.29"},
		{"discover", "discover chart --offline --stub-required"},
		{"size", "size --users 2500 --conferences 10x8 --table guide"},
	} {
		var out, diagnostics bytes.Buffer
		app := newApp(&out, &diagnostics, nil)
		if err := app.run(t.Context(), append(strings.Fields(test.args), "--output", "json")); err != nil {
			t.Errorf("island %s: %v\n%s", test.args, err, &diagnostics)
			continue
		}
		checkOutput(t, schemas[test.name], out.Bytes())
	}
}
