package main

import (
	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
)

func (a *app) patches() *cobra.Command {
	var release releaseFlags
	var day string
	cmd := &cobra.Command{
		Use:   "patches -f RELEASE -p PATCH...",
		Short: "List the patches that would be laid over a release, in order",
		Long: `Check patches against a release and each other, and list them in the order in
which they would be laid over it, with severity, vulnerabilities, deadline and
age. Patches that another one supersedes are listed as such. Nothing is fetched:
whether an image override matches anything is told by island resolve.` + exitStatus(demandedStatus),
		Example: `  island patches -f release.yaml -p WIRE-2026-001.yaml -p WIRE-2026-002.yaml
  island patches -f build.json -p patches/*.yaml --require-signed --doc-key vendor.pub --output json`,
		RunE: func(_ *cobra.Command, args []string) error {
			release.patches = append(release.patches, args...) // so that the shell's patterns can be used after -p
			if release.file == "" || len(release.patches) == 0 {
				return usage("island patches -f release.yaml -p patch.yaml", "wants a release and at least one patch")
			}
			today, err := dayOrToday(day)
			if err != nil {
				return err
			}
			assembled, err := release.assemble()
			if err != nil {
				return err
			}
			return a.print(listPatches(assembled, today))
		},
	}
	release.addFile(cmd)
	inGroup(cmd, ofDocuments, release.addDocuments)
	cmd.Flags().StringVar(&day, "today", "", "day to count age and deadlines by (default: today)")
	return cmd
}

type patchList struct {
	Applied    []manifests.PatchState `json:"applied"` // in order
	Superseded []supersededPatch      `json:"superseded"`
	Signed     []signedDocument       `json:"signed,omitempty"` // documents whose signature the policy demands
}

// signedDocument is a document that is signed, and the local files that are with it.
type signedDocument struct {
	Document string      `json:"document"`
	KeyID    string      `json:"keyID"`
	Bound    []boundFile `json:"bound,omitempty"`
}

type supersededPatch struct {
	ID string `json:"id"`
	By string `json:"by"`
}

func listPatches(a *resolve.Assembled, today manifests.Date) patchList {
	p := a.Patched
	list := patchList{Applied: []manifests.PatchState{}, Superseded: []supersededPatch{}}
	for _, patch := range p.Applied {
		list.Applied = append(list.Applied, patch.StateOn(today))
	}
	for _, s := range p.Superseded {
		list.Superseded = append(list.Superseded, supersededPatch{s.Patch.ID(), s.By})
	}
	for _, d := range a.Signed {
		list.Signed = append(list.Signed, signedDocument{d.File, d.KeyID, boundFiles(d.Bound)})
	}
	return list
}

func (l patchList) text(w *printable.Printer) {
	patchTable(w, l.Applied)
	for _, s := range l.Superseded {
		w.Printf("%s is superseded by %s\n", s.ID, s.By)
	}
	for _, d := range l.Signed {
		w.Printf("%s is signed by key %s\n", d.Document, d.KeyID)
		for _, file := range d.Bound {
			w.Printf("  bound  %s\n", file)
		}
	}
}
