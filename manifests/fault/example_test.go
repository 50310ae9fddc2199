package fault_test

import (
	"errors"
	"fmt"
	"os"

	"github.com/islandbundle/island/manifests/fault"
)

// A fault says what went wrong, on which side and with what, and what to do
// next. The exit code of the program follows from its kind.
func ExampleNew() {
	err := fault.New(fault.Failure, fault.Upstream, "chart wire-server 5.30.9", "is the repository the right one?", "no such chart")
	fmt.Println(err)
	fmt.Println("hint:", err.Hint)
	fmt.Println("side:", err.Side)
	fmt.Println("exit code:", fault.ExitCode(err))
	// Output:
	// chart wire-server 5.30.9: no such chart
	// hint: is the repository the right one?
	// side: upstream
	// exit code: 1
}

// A flaw of a document is told with its place.
func ExampleAt() {
	place := fault.Place{File: "release.yaml", Line: 7, Column: 5, Field: "charts[0].version"}
	err := fault.At(place, "name one exact version, no range", "chart version %q is not a semantic version", "5.x")
	fmt.Println(err)
	fmt.Println("exit code:", fault.ExitCode(err))
	// Output:
	// release.yaml:7:5: charts[0].version: chart version "5.x" is not a semantic version
	// exit code: 2
}

// Explain gives an error of the system a side, an object and a hint; what it
// is stays to be asked for. Several errors joined are told one by one, and the
// gravest decides on the exit code.
func ExampleExplain() {
	missing := fault.Explain(os.ErrNotExist, fault.Usage, fault.Here, "lock", "write it with island resolve")
	refused := fault.New(fault.Refused, fault.Site, "bundle", "", "signed with another key")
	all := errors.Join(missing, refused)
	for _, one := range fault.All(all) {
		fmt.Println(one)
	}
	fmt.Println(errors.Is(all, os.ErrNotExist), fault.ExitCode(all))
	// Output:
	// lock: file does not exist
	// bundle: signed with another key
	// true 3
}
