package present

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/sizing/preflight"
)

// Titles of the parts of docs/preflight.md, by how the ids of their checks begin.
var docParts = map[string]string{
	"reach": "Reaching a host", "cpu": "Processor", "memory": "Memory", "disk": "Disks", "os": "System", "kernel": "Kernel", "time": "Clock",
	"net": "Network of a host", "security": "Security", "software": "Software", "guest": "Virtual machines", "port": "Ports",
	"link":  "Between hosts",
	"count": "Counts", "roles": "Roles", "server": "Physical servers", "site": "The site", "bundle": "The bundle",
}

var docSources = map[string]string{
	"island": "this project's own choice", "table": "the hardware table in use", "ports": "the table of ports", "bundle": "the bundle",
	"G": `Wire, customer guide "Backend Installation"`, "WD": "wireapp/wire-docs", "WSD": "wireapp/wire-server-deploy",
	"K8S": "Kubernetes documentation", "systemd": "systemd documentation, machine-id(5)",
	"etcd": "etcd documentation, hardware recommendations",
}

// TestEveryCheckIsDocumented holds the last part of docs/preflight.md to
// checks.yaml; with -update it writes it anew.
func TestEveryCheckIsDocumented(t *testing.T) {
	const file, head = "../../../docs/preflight.md", "## Every check\n"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, got, ok := strings.Cut(string(data), head)
	if !ok {
		t.Fatalf("%s has no heading %q", file, head)
	}
	want := documented(t)
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(before+head+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("the checks in %s are not those of checks.yaml: go test -run %s -update, in this folder", file, t.Name())
	}
}

func documented(t *testing.T) string {
	t.Helper()
	checks, err := preflight.AllChecks()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	part := ""
	for _, check := range checks.Checks {
		prefix, _, _ := strings.Cut(check.ID, ".")
		title, source := docParts[prefix], docSources[check.Source]
		if title == "" || source == "" {
			t.Fatalf("no title for checks of %q, or no words for source %q", prefix, check.Source)
		}
		if title != part {
			fmt.Fprintf(&b, "\n### %s\n", title)
			part = title
		}
		fmt.Fprintf(&b, "\n**`%s`** %s  \nFound: %s  \nWhy: %s  \nRemedy: %s  \nSource: %s.",
			check.ID, plain(check.Title()), plain(check.Bad()), plain(check.Why()), plain(check.Remedy()), source)
		var limits []string
		for _, name := range slices.Sorted(maps.Keys(check.Limits)) {
			limits = append(limits, name+" "+plain(preflight.Number(check.Limits[name])))
		}
		if limits != nil {
			fmt.Fprintf(&b, " Limits: %s.", strings.Join(limits, ", "))
		}
		if check.Groups != nil {
			fmt.Fprintf(&b, " For hosts in: %s.", strings.Join(check.Groups, ", "))
		}
		b.WriteString("\n")
	}
	return b.String()
}
