// Command changelog makes the text of a release out of changelog/unreleased/,
// which has one file a change:
//
//	go run ./cmd/internal/changelog [VERSION]
//
// A file has a kind and a title on its first line, then an empty line, then what
// users should know of it in paragraphs, and at last, if there are any, links:
//
//	Enhancement: Patches are verified on the island
//
//	The command `island apply` now says who has signed the patch.
//
//	https://example.com/issues/123
//
// Every entry that is not well-formed is told, and then nothing else is, with
// exit code 1. The text goes to the top of CHANGELOG.md, and the files away.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

const folder = "changelog/unreleased"

func main() {
	flag.Usage = func() { fmt.Fprintln(os.Stderr, "usage: changelog [VERSION], in the folder of CHANGELOG.md") }
	flag.Parse()
	if flag.NArg() > 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(folder, cmp.Or(flag.Arg(0), "Unreleased"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run writes the text of a release out of the entries in a folder.
func run(folder, version string, out io.Writer) error {
	entries, err := readAll(folder)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, text(version, entries))
	return err
}

// readAll reads all entries of a folder, by file name, and returns everything
// that is wrong with any of them.
func readAll(folder string) ([]entry, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var entries []entry
	var flaws []error
	for _, file := range slices.DeleteFunc(files, func(f os.DirEntry) bool { return f.Name() == ".gitkeep" }) {
		name := filepath.Join(folder, file.Name())
		data, err := os.ReadFile(name)
		if err != nil {
			flaws = append(flaws, err)
			continue
		}
		e, err := parse(string(data))
		if !fileName.MatchString(file.Name()) {
			err = errors.Join(errors.New("a file is named for its change, in lowercase words with hyphens"), err)
		}
		if err != nil {
			flaws = append(flaws, fmt.Errorf("%s: %w", name, err))
		}
		entries = append(entries, e)
	}
	return entries, errors.Join(flaws...)
}
