package main

import (
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
)

// readTable reads a table by the name of one that the program brings, or from
// a file.
func readTable(name string) (*sizing.Table, []byte, error) {
	if slices.Contains(sizing.Names(), name) || !strings.ContainsAny(name, "./\\") {
		return sizing.Embedded(name)
	}
	data, err := readDocument(name, manifests.MaxDocumentBytes, aTable)
	if err != nil {
		return nil, nil, err
	}
	table, err := sizing.ReadTable(name, data)
	return table, data, err
}
