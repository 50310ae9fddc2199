package main

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/islandbundle/island/internal/nearest"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing/site"
)

// noCommand is for what has commands below it: what stands there is none of them.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, below := range cmd.Commands() {
		if below.IsAvailableCommand() {
			names = append(names, below.Name())
		}
	}
	hint := nearest.DidYouMean(cmd.CommandPath()+" ", args[0], names)
	return usage(cmp.Or(hint, cmd.CommandPath()+" --help lists the commands"), "unknown command %q", args[0])
}

// helpSaysWhatThereIs makes "island help" and "island completion" refuse what they
// do not know; cobra's own print something else and succeed.
func helpSaysWhatThereIs(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			cmd.Args, cmd.RunE = noCommand, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "help":
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				found, rest, err := root.Find(args)
				if err != nil || len(rest) > 0 {
					return noCommand(found, append(rest, args[len(args)-1:]...))
				}
				return nil
			}
		}
	}
}

// flagError words pflag's complaints as ours.
func flagError(cmd *cobra.Command, err error) error {
	if cmd.HasAvailableSubCommands() && len(cmd.Flags().Args()) > 0 { // it is the command that is mistyped
		return noCommand(cmd, cmd.Flags().Args())
	}
	help := cmd.CommandPath() + " --help"
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	var lacking *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		name := unknown.GetSpecifiedName()
		hint := nearest.DidYouMean("--", name, flagNames(cmd))
		return usage(cmp.Or(hint, help+" lists the flags"), "unknown flag --%s", name)
	case errors.As(err, &unknown):
		return usage(help+" lists the flags; long ones begin with two dashes", "unknown flag -%s", unknown.GetSpecifiedName())
	case errors.As(err, &invalid):
		if errors.Is(err, site.ErrTooLarge) {
			return usage("is there a digit too many?", "--%s: %w", invalid.GetFlag().Name, invalid.Unwrap())
		}
		return usage(help, "--%s wants %s, not %q", invalid.GetFlag().Name, valueOf(invalid.GetFlag()), invalid.GetValue())
	case errors.As(err, &lacking):
		name := lacking.GetFlag().Name
		return usage("such as "+exampleOf(cmd, "--"+name), "--%s wants a value behind it", name)
	}
	return usage(help, "%w", err)
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	add := func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	}
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return names
}

// valueOf says what a flag takes.
func valueOf(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "bool":
		return "true or false"
	case "int", "int64":
		return "a whole number"
	case numberType:
		return "a whole number such as 2500"
	case percentType:
		return "a whole number of percent such as 80"
	case "uint", "uint64":
		return "a whole number of 0 or more"
	case sequenceType:
		return fmt.Sprintf("a whole number from 1 to %d", manifests.MaxSequence)
	case rateType:
		return fmt.Sprintf("an amount of bytes a second up to %s, such as 1KiB", manifests.Bytes(maxRate))
	case "duration":
		return "a duration such as 90s or 10m"
	}
	return "a " + f.Value.Type()
}

// noArgs refuses arguments. One that is a file for one of the command's flags is
// told so.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage(cmp.Or(flagFor(cmd, args[0]), "such as "+exampleOf(cmd, "")), "unexpected argument %q", args[0])
}

func oneArg(what string) cobra.PositionalArgs { return wantArgs(1, "one argument, "+what) }

func twoArgs(what string) cobra.PositionalArgs { return wantArgs(2, "two arguments, "+what) }

func wantArgs(number int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == number {
			return nil
		}
		hint := ""
		for _, arg := range args {
			hint = cmp.Or(hint, flagFor(cmd, arg))
		}
		return usage(cmp.Or(hint, "such as "+exampleOf(cmd, "")), "wants %s; got %d", what, len(args))
	}
}

// textDash is a flag as word processors and web pages write it, who make a dash of two hyphens.
var textDash = regexp.MustCompile(`^-?[\x{2010}-\x{2015}\x{2212}]+-?([A-Za-z][A-Za-z-]*)`)

// dashesOfTexts refuses flags that begin with no hyphen: they would be arguments.
func dashesOfTexts(args []string) error {
	for _, arg := range args {
		if arg == "--" {
			return nil
		}
		if flag := textDash.FindStringSubmatch(arg); flag != nil {
			hyphens := "--"
			if len(flag[1]) == 1 {
				hyphens = "-"
			}
			return usage("did you mean "+hyphens+flag[1]+"? a word processor or a web page may have changed it",
				"%q begins with a dash, not a hyphen", arg)
		}
	}
	return nil
}

// exampleOf returns the first of a command's examples that has some text in it, or
// just the first.
func exampleOf(cmd *cobra.Command, with string) string {
	joined := continued.ReplaceAllString(strings.TrimSpace(cmd.Example), " ")
	examples := strings.Split(comment.ReplaceAllString(joined, ""), "\n")
	for _, example := range examples {
		if strings.Contains(example, with) {
			return strings.TrimSpace(example)
		}
	}
	return examples[0]
}

var (
	comment   = regexp.MustCompile(`(?m)\s+# .*$`)
	continued = regexp.MustCompile(`\s*\\\n\s*`)
)

// flagOf names for the forms of files the flags that take them.
var flagOf = map[form]string{
	aRelease: "file", anOverlay: "overlay", aPatch: "patch", aMirrorsFile: "mirrors", aSite: "site", aTable: "table",
	aHostsFile: "inventory", aState: "state", aPublicKey: "key", aPrivateKey: "key", aBundle: "bundle", aLock: "lock",
}

// flagFor asks for the flag of a command that takes what a file is; it is empty if
// there is none.
func flagFor(cmd *cobra.Command, name string) string {
	file, _, err := openRegular(name, nil)
	if err != nil {
		return ""
	}
	defer file.Close()
	head, _ := readHead(file)
	flag := cmd.Flags().Lookup(flagOf[recognise(head)])
	if flag == nil {
		return ""
	}
	before := "--" + flag.Name
	if flag.Shorthand != "" {
		before = "-" + flag.Shorthand
	}
	return "did you mean " + before + " " + name + "?"
}
