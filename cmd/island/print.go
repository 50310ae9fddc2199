package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests/fault"
)

// result is what a command found out, in its two forms. The JSON form is the
// value itself; its fields are a contract (docs/output.md).
type result interface {
	text(w io.Writer)
}

func (a *app) print(r result) error {
	if a.format == "json" {
		encoder := json.NewEncoder(a.out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(r)
	}
	r.text(a.out)
	return nil
}

// note tells something worth knowing on stderr.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.err, "island: "+format+"\n", args...)
	}
}

// writeWhole writes a file so that its name never stands for half of it.
func writeWhole(name string, data []byte, mode os.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fault.Explain(err, fault.Failure, fault.Here, "", "choose a folder that can be written to")
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(data)
	for _, step := range []func() error{
		func() error { return temporary.Chmod(mode) }, temporary.Sync, temporary.Close,
		func() error { return os.Rename(temporary.Name(), name) },
	} {
		if err != nil {
			break
		}
		err = step()
	}
	return fault.Explain(err, fault.Failure, fault.Here, name, "")
}

// table prints columns, with control characters taken out.
func table(w io.Writer, heads string, rows func(row func(cells ...string))) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.ReplaceAll(heads, "|", "\t"))
	rows(func(cells ...string) { fmt.Fprintln(t, printable.Text(strings.Join(cells, "\t"))) })
	_ = t.Flush()
}
