package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests/fault"
)

// alwaysMean are the flags of each command that mean something whatever else is given.
// All others have a rule that says when they do nothing (flags.go). A new flag is
// classed by standing here or having such a rule.
var alwaysMean = map[string]string{
	"island keygen":  "key-name passphrase-file",
	"island sign":    "check",
	"island patches": "file overlay patch require-signed doc-key name release-version today",
	"island patch from": "charts id date deadline severity summary summary-de cve release applies-to out release-version sequence " +
		"no-steps mirrors cache-dir offline connections patience",
	"island discover": "file stub-required include-disabled mirrors cache-dir offline connections patience",
	"island resolve": "file overlay patch require-signed doc-key name release-version profile platform stub-required include-disabled " +
		"cycle date expires sequence after mirrors cache-dir offline connections patience out",
	"island build": "file out force strict-discovery mirrors cache-dir offline connections patience unsigned base reuse without-tools site " +
		"table",
	"island verify":       "key allow-unsigned state enforce-expiry",
	"island apply":        "key allow-unsigned out force",
	"island show":         "key allow-unsigned images charts files left-out patches values vex sbom why",
	"island diff":         "key allow-unsigned markdown",
	"island status":       "key allow-unsigned today patch installed",
	"island upgrade-path": "from to file federated kubernetes strict",
	"island size": "site save-site table lock against lang html name scenario users conferences video relayed mail push federation " +
		"internet servers restund admin-host asset-host growth months client bundle-size images-unpacked keep",
	"island preflight": "inventory local group facts save site table ports bundle installed waive strict html junit json",
	"island values check": "values set set-string set-json set-file set-literal chart bundled-values release-name namespace kube-version " +
		"api-versions registry key allow-unsigned",
}

// wholeProgram is the whole program, and eachCommand visits its commands.
func wholeProgram() (*app, *cobra.Command) {
	a := newApp(io.Discard, io.Discard, nil)
	return a, a.command()
}

func eachCommand(cmd *cobra.Command, visit func(cmd *cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		eachCommand(sub, visit)
	}
}

// Each flag of each command is classed: it means something always, or a rule says when
// it does not.
func TestFlagsAreClassed(t *testing.T) {
	t.Parallel()
	a, root := wholeProgram()
	eachCommand(root, func(cmd *cobra.Command) {
		always := strings.Fields(alwaysMean[cmd.CommandPath()])
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			ruled := slices.ContainsFunc(a.idleRules[cmd], func(r idleRule) bool { return r.covers(f) })
			if classed := slices.Contains(always, f.Name); !classed && !ruled && f.Name != "help" && f.Name != "version" {
				t.Errorf("%s --%s: say by a rule when it does nothing, or here that it always means something", cmd.CommandPath(), f.Name)
			}
		})
		for _, name := range always {
			if cmd.Flags().Lookup(name) == nil {
				t.Errorf("%s has no --%s", cmd.CommandPath(), name)
			}
		}
		for _, rule := range a.idleRules[cmd] {
			covered := false
			cmd.Flags().VisitAll(func(f *pflag.Flag) { covered = covered || rule.covers(f) })
			if !covered || rule.where == "" || rule.hint == "" {
				t.Errorf("%s: the rule for flags %q of group %q %s is about no flag, or has no hint", cmd.CommandPath(), rule.flags,
					rule.group, rule.where)
			}
		}
	})
}

// Whatever belongs to resolving does nothing beside a lock, each flag by itself, and
// all together are told.
func TestFlagsOfResolvingBesideALock(t *testing.T) {
	t.Parallel()
	_, root := wholeProgram()
	build, _, err := root.Find([]string{"build"})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	build.Flags().VisitAll(func(f *pflag.Flag) {
		if groupOf(f) != ofRelease {
			return
		}
		count++
		value := map[string]string{"bool": "true", sequenceType: "7"}[f.Value.Type()]
		if value == "" {
			value = "x"
		}
		args := []string{"build", "nowhere.lock.json", "--" + f.Name + "=" + value}
		said := refusedUsage(t, args...)
		if !strings.Contains(said, "--"+f.Name+" does nothing beside a lock") || !strings.Contains(said, "resolve again") {
			t.Errorf("%q: told %s", args, said)
		}
	})
	if count != 15 {
		t.Errorf("%d flags belong to resolving", count)
	}
	said := refusedUsage(t, "build", "nowhere.lock.json", "--unsigned", "-p", "a.yaml", "--profile", "min", "--expires", "2027-01-01")
	if !strings.Contains(said, "--expires, --patch and --profile do nothing beside a lock") {
		t.Errorf("told %s", said)
	}
}

// refusedUsage runs a command that has to be refused as a mistake in usage, and
// returns what it says.
func refusedUsage(t *testing.T, args ...string) string {
	t.Helper()
	_, root := wholeProgram()
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	if fault.ExitCode(err) != 2 {
		t.Errorf("%q ends with %v", args, err)
	}
	var said strings.Builder
	printError(printable.NewPrinter(&said, nil), err)
	return said.String()
}

// Of two values for a flag that takes one, none is dropped without a word: each such flag
// of each command is refused. The same value again is no mistake, and flags that take
// several take them.
func TestFlagsGivenTwice(t *testing.T) {
	t.Parallel()
	values := map[string][2]string{
		"bool": {"true", "false"}, "string": {"x", "y"}, "int": {"3", "4"}, numberType: {"300", "4.000"}, percentType: {"10", "20%"},
		sequenceType: {"7", "8"}, rateType: {"1KiB", "2KiB"}, "duration": {"5s", "6m"}, "stringArray": {"x", "y"}, "stringSlice": {"x", "y"},
	}
	counts := map[bool]int{}
	_, root := wholeProgram()
	eachCommand(root, func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			_, takesMore := f.Value.(pflag.SliceValue)
			counts[takesMore]++
			value, known := values[f.Value.Type()]
			if !known {
				t.Fatalf("%s --%s: give this test two values for %s", cmd.CommandPath(), f.Name, f.Value.Type())
			}
			for _, test := range []struct {
				second  string
				refused bool
			}{{value[0], false}, {value[1], !takesMore}} {
				err := errOfFlags(t, cmd.CommandPath(), "--"+f.Name+"="+value[0], "--"+f.Name+"="+test.second)
				if (err != nil) != test.refused {
					t.Errorf("%s --%s %s, then %s: %v", cmd.CommandPath(), f.Name, value[0], test.second, err)
				}
			}
		})
	})
	if counts[true] < 20 || counts[false] < 100 {
		t.Errorf("looked at no more than %v flags", counts)
	}
}

// errOfFlags gives a command of a new program some flags, and says what is wrong with
// their number.
func errOfFlags(t *testing.T, path string, flags ...string) error {
	t.Helper()
	_, root := wholeProgram()
	cmd, _, err := root.Find(strings.Fields(path)[1:])
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.ParseFlags(flags); err != nil {
		t.Fatal(path, flags, err)
	}
	return checkTwice(cmd)
}
