package schema

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
)

// Comments are the comments on types and on their fields, by the type's
// package path and name, and the field's name.
type Comments map[string]string

// Read adds the comments that the Go files of a folder, tests apart, hold on
// the types of the package that example is of.
func (c Comments) Read(example reflect.Type, folder string) error {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("%s has no Go files", folder)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if general, ok := decl.(*ast.GenDecl); ok && general.Tok == token.TYPE {
				c.add(example.PkgPath(), general)
			}
		}
	}
	return nil
}

func (c Comments) add(pkg string, decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		typ := spec.(*ast.TypeSpec)
		c.say(key(pkg, typ.Name.Name, ""), decl.Doc, typ.Doc)
		structure, ok := typ.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, field := range structure.Fields.List {
			for _, ident := range field.Names {
				c.say(key(pkg, typ.Name.Name, ident.Name), field.Doc, field.Comment)
			}
		}
	}
}

var docLink = regexp.MustCompile(`\[([A-Z][A-Za-z.]*)\]`)

// say keeps the last of some comments that says something.
func (c Comments) say(key string, groups ...*ast.CommentGroup) {
	for _, group := range groups {
		if text := strings.Join(strings.Fields(group.Text()), " "); text != "" {
			c[key] = docLink.ReplaceAllString(text, "$1")
		}
	}
}

// of returns the comment on a type, or on a field of it.
func (c Comments) of(t reflect.Type, field string) string {
	generic, _, _ := strings.Cut(t.Name(), "[")
	return c[key(t.PkgPath(), generic, field)]
}

func key(pkg, typ, field string) string { return pkg + " " + typ + "." + field }
