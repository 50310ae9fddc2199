package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Flags that belong together are in a group, which is a title in the help of their
// command. A flag that would do nothing as the command is called is refused: who gives
// it means something by it, and would get something else. Each command says when that
// is so, for single flags or whole groups.
const (
	ofRelease   = "Flags of resolving a release"
	ofDocuments = "Flags of a release's documents"
	ofFetching  = "Flags of fetching"
	ofSigning   = "Flags of signing"
	ofDelta     = "Flags of earlier bundles"
	ofTools     = "Flags of the programs in a bundle"
	ofSizing    = "Flags of the sizing report in a bundle"
	ofTrust     = "Flags of whose signature counts"
	ofState     = "Flags of what the site remembers"
	ofMeasuring = "Flags of measuring"
	ofReport    = "Flags of the report"
)

const groupAnnotation = "island_group"

// inGroup adds flags of a group.
func inGroup(cmd *cobra.Command, title string, add func(cmd *cobra.Command)) {
	before := map[string]bool{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { before[f.Name] = true })
	add(cmd)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !before[f.Name] {
			_ = cmd.Flags().SetAnnotation(f.Name, groupAnnotation, []string{title}) // it is there
		}
	})
}

func groupOf(f *pflag.Flag) string { return strings.Join(f.Annotations[groupAnnotation], "") }

// idleRule says when flags do nothing.
type idleRule struct {
	group string   // all flags of a group, or
	flags []string // these
	when  func(cmd *cobra.Command, args []string) bool
	where string // in words, such as "without --base"
	hint  string
}

// idleWithout is for flags that do nothing unless one of others is given.
func idleWithout(flags []string, hint string, others ...string) idleRule {
	return idleRule{flags: flags, hint: hint, where: "without --" + strings.Join(others, " or --"),
		when: func(cmd *cobra.Command, _ []string) bool { return !given(cmd, others...) }}
}

// idleWith is for flags that do nothing if another is given.
func idleWith(flags []string, other, hint string) idleRule {
	return idleRule{flags: flags, hint: hint, where: "with --" + other,
		when: func(cmd *cobra.Command, _ []string) bool { return given(cmd, other) }}
}

// idleInJSON is for flags that do nothing where the result is printed as JSON, which has
// everything, in codes, unless one of some files is written, too.
func (a *app) idleInJSON(flags []string, files ...string) idleRule {
	return idleRule{flags: flags, where: "with --output json", hint: "leave one out: the JSON holds all, and its codes are of no language",
		when: func(cmd *cobra.Command, _ []string) bool { return a.format == "json" && !given(cmd, files...) }}
}

// given reports whether one of some flags is given, and means something: --sudo=false
// is as if it were not there.
func given(cmd *cobra.Command, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		f := cmd.Flags().Lookup(name)
		return f != nil && f.Changed && (f.Value.Type() != "bool" || f.Value.String() == "true")
	})
}

// covers reports whether a rule is about a flag.
func (r idleRule) covers(f *pflag.Flag) bool {
	return slices.Contains(r.flags, f.Name) || r.group != "" && r.group == groupOf(f)
}

// idle keeps the rules of a command.
func (a *app) idle(cmd *cobra.Command, rules ...idleRule) {
	if a.idleRules == nil {
		a.idleRules = map[*cobra.Command][]idleRule{}
	}
	a.idleRules[cmd] = append(a.idleRules[cmd], rules...)
}

// checkEmpty refuses flags and arguments that are empty, as --state "$STATE" is where
// there is no such variable: the command would go on as if they were not there.
func checkEmpty(cmd *cobra.Command, args []string) error {
	if cmd.DisableFlagParsing { // the shell asks how a word that is not begun may go on
		return nil
	}
	const hint = "give it a value, or leave it out; is a variable of the shell not set?"
	if i := slices.Index(args, ""); i >= 0 {
		return usage(hint, "argument %d is empty", i+1)
	}
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if err == nil && isEmpty(f.Value) {
			err = usage(hint, "--%s is empty", f.Name)
		}
	})
	return err
}

func isEmpty(value pflag.Value) bool {
	if list, ok := value.(pflag.SliceValue); ok {
		all := list.GetSlice()
		return len(all) == 0 || slices.ContainsFunc(all, isBlank)
	}
	return isBlank(value.String())
}

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

// checkIdle refuses flags that would do nothing.
func (a *app) checkIdle(cmd *cobra.Command, args []string) error {
	for _, rule := range a.idleRules[cmd] {
		var names []string
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if rule.covers(f) {
				names = append(names, "--"+f.Name)
			}
		})
		if len(names) > 0 && rule.when(cmd, args) {
			return idleFlags(names, rule.where, rule.hint)
		}
	}
	return nil
}

// idleFlags refuses flags, as they are typed, that do nothing in some place.
func idleFlags(names []string, where, hint string) error {
	last := len(names) - 1
	if last == 0 {
		return usage(hint, "%s does nothing %s", names[0], where)
	}
	return usage(hint, "%s and %s do nothing %s", strings.Join(names[:last], ", "), names[last], where)
}

// plainFlags is where cobra's own usage lists the flags.
const plainFlags = "Flags:\n{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}"

// groupHelp makes the help of a command list its flags by their groups, those of none
// first.
func groupHelp(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		groupHelp(sub)
	}
	cmd.InitDefaultHelpFlag()
	titles := []string{"Flags"}
	sets := map[string]*pflag.FlagSet{"Flags": pflag.NewFlagSet("", pflag.ContinueOnError)}
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		title := groupOf(f)
		if title == "" {
			title = "Flags"
		}
		if sets[title] == nil {
			titles, sets[title] = append(titles, title), pflag.NewFlagSet("", pflag.ContinueOnError)
		}
		sets[title].AddFlag(f)
	})
	if len(titles) == 1 {
		return
	}
	var text strings.Builder
	for i, title := range titles {
		if i > 0 {
			text.WriteString("\n\n")
		}
		fmt.Fprintf(&text, "%s:\n%s", title, strings.TrimRight(sets[title].FlagUsages(), "\n"))
	}
	cmd.SetUsageTemplate(strings.Replace(cmd.UsageTemplate(), plainFlags, text.String(), 1))
}
