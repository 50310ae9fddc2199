package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/islandbundle/island/manifests/fault"
)

func (a *app) man() *cobra.Command {
	return &cobra.Command{
		Use:     "man FOLDER",
		Short:   "Write the man pages into a folder",
		Long:    `Write a man page for every command into a folder, which is made if need be.` + exitStatus(),
		Example: `  island man /usr/local/share/man/man1`,
		Args:    oneArg("a folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fault.Explain(err, fault.Failure, fault.Here, "", "")
			}
			day, err := today()
			if err != nil {
				return err
			}
			date := day.Time()
			root := cmd.Root()
			root.DisableAutoGenTag = true
			return doc.GenManTree(root, &doc.GenManHeader{Title: "ISLAND", Section: "1", Source: toolVersion(), Date: &date}, args[0])
		},
	}
}
