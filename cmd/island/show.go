package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/sbom"
	"github.com/islandbundle/island/manifests/vex"
)

// showFlags say which part of a bundle or a lock is shown; without any, an
// overview.
type showFlags struct {
	images, charts, files, values, leftOut, patches, vex, sbom bool

	why   string
	trust trustFlags
}

func (a *app) show() *cobra.Command {
	var f showFlags
	cmd := &cobra.Command{
		Use:   "show BUNDLE | LOCK",
		Short: "Say what is in a bundle or a lock, and why",
		Long: `Say what is in a bundle or a lock file. Only the front of a bundle is read. With
--key its signature is checked first; without, it is shown as whoever made it
wrote it, and said to be unchecked.` + exitStatus(refusedStatus),
		Example: `  island show wire-2026.1-amd64.tar
  island show wire-2026.1-amd64.tar --images --output json
  island show island.lock.json --why quay.io/wire/brig`,
		Args: oneArg("a bundle or a lock"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf(cmd, "images", "charts", "files", "values", "left-out", "why", "patches", "vex", "sbom"); err != nil {
				return err
			}
			return a.runShow(args[0], f)
		},
	}
	f.add(a, cmd)
	return cmd
}

func (f *showFlags) add(a *app, cmd *cobra.Command) {
	f.trust.add(a, cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.images, "images", false, "list the images")
	flags.BoolVar(&f.charts, "charts", false, "list the charts")
	flags.BoolVar(&f.files, "files", false, "list the files")
	flags.BoolVar(&f.values, "values", false, "list the values that each chart was rendered with, where they are from and for which versions")
	flags.BoolVar(&f.leftOut, "left-out", false, "list what was seen and is not carried, with the reasons")
	flags.BoolVar(&f.patches, "patches", false, "list the patches in it, with what has to be set and done on site")
	flags.BoolVar(&f.vex, "vex", false, "write as OpenVEX which vulnerabilities its patches fix, and in what")
	flags.BoolVar(&f.sbom, "sbom", false, "write the bill of materials as CycloneDX")
	flags.StringVar(&f.why, "why", "",
		"say what needs the images whose name contains this, and which patch decided such images, charts and files")
}

func (a *app) runShow(name string, f showFlags) error {
	s, err := openSubject(name, f.trust, aLock)
	if err != nil {
		return err
	}
	defer s.close()
	if err := f.trust.wantsBundle(s); err != nil {
		return err
	}
	s.lock.MapURLs(manifests.BareURL) // those of earlier versions may hold secrets
	switch {
	case f.why != "":
		return a.showWhy(s, f.why)
	case f.images:
		return a.print(imageList(s.lock.Images))
	case f.charts:
		return a.print(chartList(s.lock.Charts))
	case f.files:
		return a.print(fileList(s.lock.Files))
	case f.values:
		return a.print(valuesOf(s.lock))
	case f.leftOut:
		return a.print(omissionList(s.lock.LeftOut))
	case f.patches:
		if a.format == "text" {
			a.out.Printf("release  %s\n", releaseLine(s.lock.Release))
			sequenceLine(a.out, s.lock.Release.Sequence, orderOf(s.lock.Release))
		}
		return a.print(patchesOf(s.lock))
	case f.vex:
		return a.showDocument(s.lock, vex.Encode, "no patch in it names a vulnerability")
	case f.sbom:
		return a.showDocument(s.lock, sbom.Encode, "")
	}
	o := s.overview()
	if o.Upgrade, err = s.upgradeFrom(""); err != nil {
		return err
	}
	return a.print(o)
}

type overview struct {
	Name      string                  `json:"name"`
	Release   manifests.LockedRelease `json:"release"`
	Order     *message.Text           `json:"order,omitempty"`   // what cannot be told of its place among all deliveries
	Patches   []string                `json:"patches,omitempty"` // those in it, by id
	Digest    manifests.Digest        `json:"digest,omitempty"`
	Signature string                  `json:"signature,omitempty"` // unchecked, unsigned or valid
	SignedBy  string                  `json:"signedBy,omitempty"`
	Tool      string                  `json:"tool,omitempty"`
	Size      int64                   `json:"size,omitempty"`
	// charts that were rendered with values for other versions than theirs
	OtherValues []string     `json:"otherValues,omitempty"`
	Upgrade     *upgradeSaid `json:"upgrade,omitempty"` // what is known of the way to it
	counts
}

func (s *subject) overview() overview {
	o := overview{
		Name: s.name, Release: s.lock.Release, Order: orderOf(s.lock.Release), Patches: patchIDs(s.lock),
		OtherValues: withOtherValues(s.lock), counts: count(s.lock),
	}
	if s.bundle != nil {
		o.Digest, o.Tool, o.Size = s.bundle.Digest, s.bundle.Inventory.Tool, s.bundle.Size()
		o.Signature = s.bundle.SignatureState()
		o.SignedBy = firstSigner(s.bundle.SignedBy)
	}
	return o
}

func (o overview) text(w *printable.Printer) {
	w.Printf("release  %s\n", releaseLine(o.Release))
	sequenceLine(w, o.Release.Sequence, o.Order)
	patchesLine(w, o.Patches)
	if !o.Release.Expires.IsZero() {
		w.Printf("expires  %s\n", o.Release.Expires)
	}
	o.Upgrade.write(w)
	o.counts.text(w)
	for _, chart := range o.OtherValues {
		w.Printf("values   of chart %s are for other versions: see --values\n", chart)
	}
	if o.Digest == "" {
		return
	}
	w.Printf("bundle   %s, built by %s\n", manifests.Bytes(o.Size), o.Tool)
	switch o.Signature {
	case "valid":
		w.Printf("signed   by key %s; run island verify to check the contents too\n", o.SignedBy)
	case "unsigned":
		w.Printf("signed   no\n")
	default:
		w.Printf("signed   not checked: give --key\n")
	}
	w.Printf("identity %s\n", o.Digest)
}

type imageList []manifests.LockedImage

func (l imageList) text(w *printable.Printer) {
	table(w, "IMAGE|DIGEST|PLATFORMS|NEEDED BY", func(row func(...string)) {
		for _, image := range l {
			var platforms []string
			for _, m := range image.Manifests {
				if !slices.Contains(platforms, m.For()) {
					platforms = append(platforms, m.For())
				}
			}
			row(image.Name.String(), image.Digest.Short(), strings.Join(platforms, ","), needers(image.From))
		}
	})
}

// needers names the charts and lists that need an image.
func needers(from []manifests.Origin) string {
	var names []string
	seen := map[string]bool{}
	for _, origin := range from {
		name := origin.Chart
		if name == "" {
			name = origin.List
		}
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

type chartList []manifests.LockedChart

func (l chartList) text(w *printable.Printer) {
	table(w, "CHART|VERSION|APP|DIGEST|SIZE|REPOSITORY", func(row func(...string)) {
		for _, c := range l {
			row(c.Name, c.Version, c.App, c.Content.Digest.Short(), manifests.Bytes(c.Content.Size).String(), c.Repo)
		}
	})
}

type fileList []manifests.LockedFile

func (l fileList) text(w *printable.Printer) {
	table(w, "FILE|MODE|DIGEST|SIZE|FROM", func(row func(...string)) {
		for _, f := range l {
			row(string(f.Path), fmt.Sprintf("%04o", f.Mode), f.Content.Digest.Short(), manifests.Bytes(f.Content.Size).String(), f.Content.URL)
		}
	})
}

type omissionList []manifests.Omission

func (l omissionList) text(w *printable.Printer) {
	table(w, "LEFT OUT|REASON|SEEN IN", func(row func(...string)) {
		for _, o := range l {
			row(o.What, o.Reason, originLine(o.Origin))
		}
	})
}

type whyResult struct {
	Images  []manifests.LockedImage `json:"images"`
	Charts  []manifests.LockedChart `json:"charts,omitempty"` // decided by patches
	Files   []manifests.LockedFile  `json:"files,omitempty"`  // decided by patches
	LeftOut []manifests.Omission    `json:"leftOut"`
}

func (a *app) showWhy(s *subject, part string) error {
	result := whyResult{Images: []manifests.LockedImage{}, LeftOut: []manifests.Omission{}}
	for _, image := range s.lock.Images {
		if strings.Contains(image.Name.String(), part) || strings.Contains(string(image.Digest), part) {
			result.Images = append(result.Images, image)
		}
	}
	for _, omission := range s.lock.LeftOut {
		if strings.Contains(omission.What, part) {
			result.LeftOut = append(result.LeftOut, omission)
		}
	}
	for _, chart := range s.lock.Charts {
		if chart.DecidedBy != "" && strings.Contains(chart.Name, part) {
			result.Charts = append(result.Charts, chart)
		}
	}
	for _, file := range s.lock.Files {
		if file.DecidedBy != "" && strings.Contains(string(file.Path), part) {
			result.Files = append(result.Files, file)
		}
	}
	if len(result.Images)+len(result.LeftOut)+len(result.Charts)+len(result.Files) == 0 {
		return usage("island show "+s.name+" --images lists them", "no image carried or left out has %q in its name", part)
	}
	return a.print(result)
}

func (r whyResult) text(w *printable.Printer) {
	for _, image := range r.Images {
		w.Printf("%s\n  %s\n", image.Name.String(), image.Digest)
		for _, origin := range image.From {
			w.Printf("  needed by %s\n", originLine(origin))
		}
		decidedBy(w, image.DecidedBy)
	}
	for _, chart := range r.Charts {
		w.Printf("%s\n  %s\n", "chart "+chart.Name+" "+chart.Version, chart.Content.Digest)
		decidedBy(w, chart.DecidedBy)
	}
	for _, file := range r.Files {
		w.Printf("%s\n  %s\n", string(file.Path), file.Content.Digest)
		decidedBy(w, file.DecidedBy)
	}
	for _, omission := range r.LeftOut {
		w.Printf("%s\n  left out: %s\n", omission.What, omission.Reason)
		if line := originLine(omission.Origin); line != "" {
			w.Printf("  seen in %s\n", line)
		}
	}
}

func decidedBy(w *printable.Printer, patch string) {
	if patch != "" {
		w.Printf("  decided by patch %s\n", patch)
	}
}
