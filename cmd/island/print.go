package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/whole"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// result is what a command found out, in its two forms. The JSON form is the
// value itself; its fields are a contract (docs/output.md).
type result interface {
	text(w *printable.Printer)
}

func (a *app) print(r result) error {
	if a.format == "json" {
		data, err := manifests.EncodeJSON(r)
		if err != nil {
			return err
		}
		return a.printDocument(data)
	}
	r.text(a.out)
	return a.out.Err()
}

// printDocument prints a document that is a result by itself.
func (a *app) printDocument(data []byte) error {
	_, err := a.out.Write(data)
	return err
}

// note tells something worth knowing on stderr.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		a.err.Printf("island: "+format+"\n", args...)
	}
}

// writeWhole writes a file so that its name never stands for half of it. Every file
// that a command writes is written here, but for bundles; what is no regular file is
// written to, not replaced (see [whole.Write]).
func writeWhole(name string, data []byte, mode os.FileMode) error {
	if err := noDash(name); err != nil {
		return err
	}
	return explainWriting(whole.Write(name, data, mode), name)
}

// noDash refuses the name that stands for standard output elsewhere, where it would be
// a file.
func noDash(name string) error {
	if name != "-" {
		return nil
	}
	return usage("name a file, such as ./- if it is to be called so; /dev/stdout stands for standard output", "- is not standard output here")
}

// mayCreate says before a bundle is made why it may not have that name.
func mayCreate(out string, replace bool) error {
	if err := noDash(out); err != nil {
		return err
	}
	return bundle.MayCreate(out, replace)
}

// notAnInput refuses an output that is a file of which the result is made, or whose
// unfinished form would be: it would be lost, and often that is a slip of the pen.
// There is no --force for that.
func notAnInput(out string, inputs ...string) error {
	return notInPlaceOf(out, "name another file with -o", inputs)
}

// checkReports refuses, before the work is done that they are about, reports that could
// not be kept: in a folder that is not there, two in one file, or one in the place of
// what it is made of. Names that are empty are of reports that nobody wants.
func checkReports(reports []string, inputs ...string) error {
	var seen []string
	for _, name := range reports {
		if name == "" {
			continue
		}
		if err := noDash(name); err != nil {
			return err
		}
		folder := filepath.Dir(name)
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return fault.New(fault.Usage, fault.Here, name, "make the folder first, or choose another", "there is no folder %s", folder)
		}
		if err := notInPlaceOf(name, "name another file", inputs); err != nil {
			return err
		}
		for _, other := range seen {
			if filepath.Clean(other) == filepath.Clean(name) && !isDevice(name) {
				return fault.New(fault.Usage, fault.Here, name, "give each a name of its own", "two reports would be written into this one file")
			}
		}
		seen = append(seen, name)
	}
	return nil
}

// isDevice reports whether a name is of something that keeps nothing, such as a
// terminal or a pipe.
func isDevice(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.Mode().IsRegular()
}

func notInPlaceOf(out, hint string, inputs []string) error {
	for _, name := range []string{out, out + bundle.PartialSuffix} {
		written, err := os.Stat(name)
		if err != nil || !written.Mode().IsRegular() {
			continue
		}
		for _, input := range inputs {
			if read, err := os.Stat(input); err == nil && os.SameFile(read, written) {
				return fault.New(fault.Usage, fault.Here, out, hint,
					"output would take the place of %s, of which it is made", input)
			}
		}
	}
	return nil
}

// writeNew writes a file that must not be there yet.
func writeNew(name string, data []byte, mode os.FileMode) error {
	return explainWriting(whole.Create(name, data, mode), name)
}

// makeFolder makes a folder to write files into, unless it is there.
func makeFolder(name string) error { return fault.OnDisk(os.MkdirAll(name, 0o755), name, "") }

func explainWriting(err error, name string) error {
	if refusal := (*whole.Refusal)(nil); errors.As(err, &refusal) {
		return fault.New(fault.Usage, fault.Here, refusal.Name, refusal.Hint, "%s", refusal.What)
	}
	return fault.OnDisk(err, name, "")
}

// table prints columns. A cell is one line, and has no tab, which would end it.
func table(w *printable.Printer, heads string, rows func(row func(cells ...string))) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.ReplaceAll(heads, "|", "\t"))
	rows(func(cells ...string) {
		for i := range cells {
			cells[i] = printable.Line(cells[i])
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	})
	_ = t.Flush()
}
