package main

import (
	"bytes"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func (a *app) man() *cobra.Command {
	return &cobra.Command{
		Use:     "man FOLDER",
		Short:   "Write the man pages into a folder",
		Long:    `Write a man page for every command into a folder, which is made if need be.` + exitStatus(),
		Example: `  island man /usr/local/share/man/man1`,
		Args:    oneArg("a folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := makeFolder(args[0]); err != nil {
				return err
			}
			day, err := today()
			if err != nil {
				return err
			}
			date := day.Time()
			root := cmd.Root()
			root.DisableAutoGenTag = true
			return writePages(root, doc.GenManHeader{Title: "ISLAND", Section: "1", Source: toolVersion(), Date: &date}, args[0])
		},
	}
}

// writePages writes the page of a command, and those of the commands below it.
func writePages(cmd *cobra.Command, header doc.GenManHeader, folder string) error {
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && !sub.IsAdditionalHelpTopicCommand() {
			if err := writePages(sub, header, folder); err != nil {
				return err
			}
		}
	}
	var page bytes.Buffer
	if err := doc.GenMan(cmd, &header, &page); err != nil {
		return err
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + "." + header.Section
	return writeWhole(filepath.Join(folder, name), page.Bytes(), 0o644)
}
