package main

import (
	"io"
	"log"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests/fault"
)

// version is set by the linker (make build); "dev" else.
var version = "dev"

// app is what all commands share: where to print, and how.
type app struct {
	out, err *printable.Printer // results, and everything else
	format   string             // text or json
	quiet    bool

	cleanup atomic.Int64 // how long what runs may take to clean up, as a time.Duration

	idleRules map[*cobra.Command][]idleRule // when flags do nothing
}

// newApp returns an app that prints results to one writer and all else to another.
// failed, unless it is nil, is told when either takes nothing more.
func newApp(out, err io.Writer, failed func(error)) *app {
	return &app{out: printable.NewPrinter(out, failed), err: printable.NewPrinter(err, failed)}
}

const rootHelp = `island resolves a release manifest, pulls its container images and Helm charts
into one signed tarball, and checks that tarball and the machines it is for,
so that Wire can be installed where there is no internet.`

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "island",
		Short: "Signed, air-gapped bundles for Wire installations",
		Long: rootHelp + exitStatus(refusedStatus,
			"4  preflight: a machine does not meet the requirements; values check: the bundle lacks something",
			"5  preflight: something could not be measured, and nothing failed") + "\n" +
			"  Each command lists those that it has.",
		Version:       toolVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetVersionTemplate("{{.Version}}\n")
	root.PersistentFlags().StringVar(&a.format, "output", "text", "form of the result: text or json")
	root.PersistentFlags().BoolVarP(&a.quiet, "quiet", "q", false, "no progress, no notices")
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		if a.format != "text" && a.format != "json" {
			return usage("say text or json", "unknown output form %q", a.format)
		}
		log.SetFlags(0)
		log.SetOutput(io.Discard) // Helm logs through the log package; what matters comes back as notices
		if err := checkTwice(cmd); err != nil {
			return err
		}
		if err := checkEmpty(cmd, args); err != nil {
			return err
		}
		return a.checkIdle(cmd, args)
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		a.keygen(), a.sign(), a.patches(), a.patch(), a.discover(), a.resolve(), a.build(), a.verify(), a.apply(), a.show(),
		a.diff(), a.status(), a.upgradePath(), a.size(), a.preflight(), a.values(), a.man(),
	)
	groupHelp(root)
	watchTwice(root)
	return root
}

// toolVersion names the program and its version, as bundles record it.
func toolVersion() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v = info.Main.Version
	}
	return "island " + v
}

func usage(hint, format string, args ...any) error {
	return fault.New(fault.Usage, fault.Here, "", hint, format, args...)
}

// exitStatus is the section of that name in every command's help: the contract
// of docs/output.md in short.
func exitStatus(extra ...string) string {
	lines := append([]string{
		"0  done",
		"1  failed: upstream, disk or network; nothing half-written is left under a final name",
		"2  wrong usage, a document that is not valid, or a file that is something else",
	}, extra...)
	return "\n\nEXIT STATUS\n  " + strings.Join(lines, "\n  ")
}

const (
	refusedStatus  = "3  verification refused: signature, digest or format"
	demandedStatus = "3  refused: something is not signed as is demanded, or not what was signed"
)

// oneOf lets at most one of some flags be given; cobra's own check of that
// does not tell a usage error from another.
func oneOf(cmd *cobra.Command, flags ...string) error {
	var given []string
	for _, name := range flags {
		if cmd.Flags().Changed(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) > 1 {
		return usage(cmd.CommandPath()+" --help", "%s cannot be given together", strings.Join(given, " and "))
	}
	return nil
}
