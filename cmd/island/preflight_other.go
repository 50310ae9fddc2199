//go:build !linux

package main

import "github.com/spf13/cobra"

// preflight is for Linux: it runs on an admin host of the island.
func (a *app) preflight() *cobra.Command {
	return &cobra.Command{
		Use:     "preflight",
		Short:   "Prove that machines will do, before installing (on Linux)",
		Long:    "Preflight runs on the island, on Linux. This program was built for another system." + exitStatus(),
		Example: "  island preflight --help   # on Linux",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usage("run it on the admin host", "preflight runs on Linux")
		},
	}
}
