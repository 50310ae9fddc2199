package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
)

func (a *app) status() *cobra.Command {
	var trust trustFlags
	var day, installed string
	var patchFiles []string
	cmd := &cobra.Command{
		Use:   "status BUNDLE | LOCK | RELEASE",
		Short: "Say which cycle is due, what is out of support, which patches lack",
		Long: `Say where a delivery stands on a day: when the next six-month cycle is due, how
long it is supported, whether it has expired, and which of the given patches are
for it and not in it. Patches for other releases are passed over. With --installed,
whether the way from that version is known.

The day is the clock's, which on an island may be wrong: --today sets it. It
exits 0 whatever it finds; --output json is for scripts that act on it.` + exitStatus(refusedStatus),
		Example: `  island status wire-2026.1-amd64.tar --key island.pub -p WIRE-2026-001.yaml -p WIRE-2026-002.yaml
  island status island.lock.json --today 2026-10-01 --output json`,
		Args: oneArg("a bundle, a lock or a release"),
		RunE: func(_ *cobra.Command, args []string) error {
			today, err := dayOrToday(day)
			if err != nil {
				return err
			}
			patches, err := readPatches(patchFiles)
			if err != nil {
				return err
			}
			s, err := openSubject(args[0], trust, aLock, aRelease)
			if err != nil {
				return err
			}
			defer s.close()
			if err := trust.wantsBundle(s); err != nil {
				return err
			}
			release, has := s.standing()
			if release.Date.IsZero() {
				return usage("resolve it to a lock first, or give metadata.date", "%s does not say when it was released", args[0])
			}
			status, err := manifests.StatusOn(release, has, patches, today)
			if err != nil {
				return err
			}
			upgrade, err := s.upgradeFrom(installed)
			if err != nil {
				return err
			}
			return a.print(statusResult{status, orderOf(release), upgrade})
		},
	}
	trust.add(a, cmd)
	cmd.Flags().StringVar(&day, "today", "", "day to judge by (default: today)")
	cmd.Flags().StringVar(&installed, "installed", "",
		"version that is installed, of the chart wire-server or as the release's own steps have it")
	cmd.Flags().StringArrayVarP(&patchFiles, "patch", "p", nil, "patch document that is known (repeatable)")
	return cmd
}

// readPatches reads patch documents, and tells all that is wrong at once.
func readPatches(files []string) ([]*manifests.Patch, error) {
	var patches []*manifests.Patch
	var errs []error
	for _, file := range files {
		p, err := readPatch(file)
		patches, errs = append(patches, p), append(errs, err)
	}
	return patches, errors.Join(errs...)
}

func readPatch(file string) (*manifests.Patch, error) {
	data, err := readDocument(file, manifests.MaxDocumentBytes, aPatch)
	if err != nil {
		return nil, err
	}
	return manifests.ReadPatch(file, data)
}

// standing returns what the status of a subject follows from.
func (s *subject) standing() (manifests.LockedRelease, []manifests.LockedPatch) {
	if s.lock != nil {
		return s.lock.Release, s.lock.Patches
	}
	m := s.release.Metadata
	return manifests.LockedRelease{
		Name: cmp.Or(m.Name, "wire"), Version: m.Version, Cycle: m.Cycle, Date: m.Date, Sequence: m.Sequence,
		Expires: m.Expires, Support: m.Support,
	}, nil
}

type statusResult struct {
	manifests.Status
	Order   *message.Text `json:"order,omitempty"` // what cannot be told of its place among all deliveries
	Upgrade *upgradeSaid  `json:"upgrade,omitempty"`
}

func (r statusResult) text(w *printable.Printer) {
	s := r.Status
	w.Printf("release  %s\n", fmt.Sprintf("%s %s of %s, cycle %s, on %s", s.Release, s.Version, s.Date, s.Cycle,
		s.Today))
	sequenceLine(w, s.Sequence, r.Order)
	due := fmt.Sprintf("%s is due on %s", orDash(s.NextCycle), s.NextDue)
	if s.CycleOverdue {
		due += ": OVERDUE"
	}
	w.Printf("cycle    %s\n", due)
	support := string(s.Support)
	if !s.SupportUntil.IsZero() {
		support += fmt.Sprintf(", last day %s", s.SupportUntil)
	}
	w.Printf("support  %s\n", support)
	if !s.Expires.IsZero() {
		word := "expires on"
		if s.Expired {
			word = "EXPIRED on"
		}
		w.Printf("expiry   %s %s\n", word, s.Expires)
	}
	r.Upgrade.write(w)
	w.Printf("patches  %s\n", orDash(strings.Join(s.Patches, ", ")))
	if len(s.Lacks) > 0 {
		w.Printf("lacks    %d\n\n", len(s.Lacks))
		patchTable(w, s.Lacks)
	}
}
