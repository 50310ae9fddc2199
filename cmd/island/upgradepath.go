package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/wireapp"
)

func (a *app) upgradePath() *cobra.Command {
	var from, to, file, kubernetes string
	var federated bool
	cmd := &cobra.Command{
		Use:   "upgrade-path --from VERSION [--to VERSION] [-f RELEASE]",
		Short: "Say by which steps one gets from one version to another",
		Long: `Say by which versions one gets from one version to another, under which
conditions, and what has to be done at each; or why there is no way.

The steps are those that RELEASE (a release, a lock or a bundle) names in
metadata.upgrades; where it names none, or none is given, what Wire's public
documentation says of the chart wire-server. What is not said of the site is
printed as a condition.` + exitStatus(),
		Example: `  island upgrade-path --from 5.25.0 --to 5.30.0 --federated --kubernetes 1.29
  island upgrade-path --from 5.28.0 -f build.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			site := manifests.SiteFacts{Kubernetes: kubernetes}
			if cmd.Flags().Changed("federated") {
				site.Federated = &federated
			}
			upgrades, target, err := upgradesOf(file)
			if err != nil {
				return err
			}
			if to = cmp.Or(to, target); from == "" || to == "" {
				return usage("island upgrade-path --from 5.28.0 --to 5.30.0", "wants --from, and --to or a release that has the chart %s", umbrella)
			}
			hops, err := upgrades.Path(from, to, site)
			if err != nil {
				return err
			}
			return a.print(upgradePathResult{From: from, To: to, Hops: hops})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&from, "from", "", "version that is installed")
	flags.StringVar(&to, "to", "", "version to get to (default: the release's)")
	flags.StringVarP(&file, "file", "f", "", "release, lock or bundle that names the steps or the version to get to")
	flags.BoolVar(&federated, "federated", false, "whether the site federates with others (default: not known)")
	flags.StringVar(&kubernetes, "kubernetes", "", "version of the site's Kubernetes (default: not known)")
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
	if s.release == nil {
		return upgradesOfLock(s.lock)
	}
	m, chart := s.release.Metadata, ""
	if c := s.release.ChartNamed(umbrella); c != nil {
		chart = c.Version
	}
	return ownUpgrades(m.Upgrades, m.UpgradeFrom.Skip, m.Version, chart)
}

type upgradePathResult struct {
	From string          `json:"from"`
	To   string          `json:"to"`
	Hops []manifests.Hop `json:"hops"`
}

func (r upgradePathResult) text(w *printable.Printer) {
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
}
