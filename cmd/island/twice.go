package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// watched is the value of a flag that takes one, and keeps what was given for it: of
// two, pflag would drop the first without a word.
type watched struct {
	pflag.Value
	given []string
}

// Set keeps a value that is another than those before.
func (w *watched) Set(text string) error {
	if !slices.Contains(w.given, text) {
		w.given = append(w.given, text)
	}
	return w.Value.Set(text)
}

// watchTwice watches each flag of a command, and of those below it, that takes one value.
func watchTwice(cmd *cobra.Command) {
	watch := func(f *pflag.Flag) {
		_, takesMore := f.Value.(pflag.SliceValue)
		_, isWatched := f.Value.(*watched)
		if !takesMore && !isWatched {
			f.Value = &watched{Value: f.Value}
		}
	}
	cmd.PersistentFlags().VisitAll(watch)
	cmd.LocalFlags().VisitAll(watch)
	for _, below := range cmd.Commands() {
		watchTwice(below)
	}
}

// checkTwice refuses a flag that takes one value and was given several. The same one
// again is no mistake.
func checkTwice(cmd *cobra.Command) error {
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if flag, ok := f.Value.(*watched); ok && err == nil && len(flag.given) > 1 {
			err = usage("leave one of them out", "--%s takes one value, and is given %q and %q", f.Name, flag.given[0], flag.given[1])
		}
	})
	return err
}
