package main

import (
	"cmp"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/spf13/cobra"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/manifests/wireapp"
)

func (a *app) upgradePath() *cobra.Command {
	var from, to, file, kubernetes string
	var federated, strict bool
	cmd := &cobra.Command{
		Use:   "upgrade-path --from VERSION [--to VERSION] [-f RELEASE]",
		Short: "Say by which steps one gets from one version to another",
		Long: `Say by which versions one gets from one version to another, under which
conditions, and what has to be done at each; or why there is no way.

The steps are those that RELEASE (a release, a lock or a bundle) names in
metadata.upgrades; where it names none, or none is given, what Wire's public
documentation says of the chart wire-server. A later patch of the same minor series
is reached in one step. What is not said of the site is printed as a condition.

Where nobody has said how one gets there, that is a warning: it says what is not
known, and whom to ask.` + exitStatus(refusedStatus) + "\n" +
			"  1 is also that there is no way (with --strict: or that it is not known).",
		Example: `  island upgrade-path --from 5.25.0 --to 5.30.0 --federated --kubernetes 1.29
  island upgrade-path --from 5.28.0 -f build.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			site := manifests.SiteFacts{Kubernetes: kubernetes}
			if cmd.Flags().Changed("federated") {
				site.Federated = &federated
			}
			if _, err := semver.NewVersion(kubernetes); kubernetes != "" && err != nil {
				return usage("such as --kubernetes 1.29.10", "--kubernetes: %.80q is no version", kubernetes)
			}
			upgrades, target, err := upgradesOf(file)
			if err != nil {
				return err
			}
			if to = cmp.Or(to, target); from == "" || to == "" {
				return usage("island upgrade-path --from 5.28.0 --to 5.30.0", "wants --from, and --to or a release that has the chart %s",
					upgrades.Chart)
			}
			path, err := upgrades.Path(from, to, site)
			if err != nil {
				return err
			}
			return a.printPath(from, to, path, strict)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&from, "from", "", "version that is installed")
	flags.StringVar(&to, "to", "", "version to get to (default: the release's)")
	flags.StringVarP(&file, "file", "f", "", "release, lock or bundle that names the steps or the version to get to")
	flags.BoolVar(&federated, "federated", false, "whether the site federates with others (default: not known)")
	flags.StringVar(&kubernetes, "kubernetes", "", "version of the site's Kubernetes (default: not known)")
	flags.BoolVar(&strict, "strict", false, "fail where the way is not known")
	return cmd
}

// upgradesOf returns the steps that count, and the version that a release leads to.
func upgradesOf(file string) (*manifests.Upgrades, string, error) {
	if file == "" {
		builtIn, err := wireapp.Upgrades()
		return builtIn, "", err
	}
	s, err := openSubject(file, trustFlags{}, aLock, aRelease)
	if err != nil {
		return nil, "", err
	}
	defer s.close()
	return s.upgrades()
}

// printPath prints a path, and warns of what is not known of it.
func (a *app) printPath(from, to string, path manifests.UpgradePath, strict bool) error {
	result := upgradePathResult{From: from, To: to, Known: path.Known(), Hops: path.Hops}
	if result.Hops == nil {
		result.Hops = []manifests.Hop{}
	}
	if result.Known {
		return a.print(result)
	}
	result.Said = &unknownSaid{Unknown: path.Unknown, Ask: path.Ask}
	english := words.English()
	result.Unknown, result.Ask = english.Text(path.Unknown), english.Text(path.Ask)
	if strict {
		return fault.New(fault.Failure, fault.Site, "", result.Ask, "%s", result.Unknown)
	}
	a.note("warning: %s", result.Unknown)
	return a.print(result)
}

type upgradePathResult struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Known says whether the hops lead there. Where they do not, they lead as far as is
	// known; none where that is nowhere, or where it is installed already.
	Known   bool            `json:"known"`
	Hops    []manifests.Hop `json:"hops"`
	Unknown string          `json:"unknown,omitempty"` // what is not known
	Ask     string          `json:"ask,omitempty"`     // whom to ask
	Said    *unknownSaid    `json:"said,omitempty"`
}

// unknownSaid has the codes and the arguments of what is said of the unknown.
type unknownSaid struct {
	Unknown message.Text `json:"unknown"`
	Ask     message.Text `json:"ask"`
}

func (r upgradePathResult) text(w *printable.Printer) {
	if r.Known && len(r.Hops) == 0 {
		w.Printf("%s is there already: nothing is to be done\n", r.To)
	}
	for i, hop := range r.Hops {
		w.Printf("%d. %s to %s\n", i+1, hop.From, hop.To)
		for _, condition := range hop.Conditions {
			w.Printf("   only if   %s\n", condition)
		}
		if len(hop.Order) > 0 {
			w.Printf("   in order  %s\n", strings.Join(hop.Order, ", "))
		}
		if hop.Steps.En != "" {
			w.Block("   ", hop.Steps.En, "   ")
		}
		if hop.Source != "" {
			w.Printf("   source    %s\n", hop.Source)
		}
	}
	if !r.Known {
		w.Printf("not known  %s\nask        %s\n", r.Unknown, r.Ask)
	}
}
