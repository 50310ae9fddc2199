package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/sbom"
	"github.com/islandbundle/island/manifests/vex"
)

func (a *app) show() *cobra.Command {
	var trust trustFlags
	var images, charts, files, leftOut, patches, vexDocument, sbomDocument bool
	var why string
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
			if err := oneOf(cmd, "images", "charts", "files", "left-out", "why", "patches", "vex", "sbom"); err != nil {
				return err
			}
			view, err := openView(args[0], trust)
			if err != nil {
				return err
			}
			switch {
			case why != "":
				return a.showWhy(view, why)
			case images:
				return a.print(imageList(view.Lock.Images))
			case charts:
				return a.print(chartList(view.Lock.Charts))
			case files:
				return a.print(fileList(view.Lock.Files))
			case leftOut:
				return a.print(omissionList(view.Lock.LeftOut))
			case patches:
				return a.print(orNone(patchDetails(view.Lock.Patches)))
			case vexDocument:
				return a.showDocument(view.Lock, vex.Encode, "no patch in it names a vulnerability")
			case sbomDocument:
				return a.showDocument(view.Lock, sbom.Encode, "")
			default:
				return a.print(view.overview())
			}
		},
	}
	trust.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&images, "images", false, "list the images")
	flags.BoolVar(&charts, "charts", false, "list the charts")
	flags.BoolVar(&files, "files", false, "list the files")
	flags.BoolVar(&leftOut, "left-out", false, "list what was seen and is not carried, with the reasons")
	flags.BoolVar(&patches, "patches", false, "list the patches in it, with what has to be set and done on site")
	flags.BoolVar(&vexDocument, "vex", false, "write as OpenVEX which vulnerabilities its patches fix, and in what")
	flags.BoolVar(&sbomDocument, "sbom", false, "write the bill of materials as CycloneDX")
	flags.StringVar(&why, "why", "", "say what needs the images whose name contains this, and which patch decided such images, charts and files")
	return cmd
}

// view is a lock and what is known of the bundle around it.
type view struct {
	Name   string
	Lock   *manifests.Lock
	Bundle *bundle.Bundle // nil for a lock file
}

func openView(name string, flags trustFlags) (*view, error) {
	file, size, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if startsWithBrace(file) {
		lock, err := readLock(name)
		return &view{Name: name, Lock: lock}, err
	}
	trust, err := flags.lookingTrust()
	if err != nil {
		return nil, err
	}
	b, err := bundle.Open(file, size, trust)
	if err != nil {
		return nil, err
	}
	return &view{Name: name, Lock: &b.Inventory.Lock, Bundle: b}, nil
}

type overview struct {
	Name      string                  `json:"name"`
	Release   manifests.LockedRelease `json:"release"`
	Digest    manifests.Digest        `json:"digest,omitempty"`
	Signature string                  `json:"signature,omitempty"` // unchecked, unsigned or valid
	SignedBy  string                  `json:"signedBy,omitempty"`
	Tool      string                  `json:"tool,omitempty"`
	Size      int64                   `json:"size,omitempty"`
	counts
}

func (v *view) overview() overview {
	o := overview{Name: v.Name, Release: v.Lock.Release, counts: count(v.Lock)}
	if v.Bundle != nil {
		o.Digest, o.Tool, o.Size = v.Bundle.Digest, v.Bundle.Inventory.Tool, v.Bundle.Size()
		o.Signature = v.Bundle.SignatureState()
		o.SignedBy = firstSigner(v.Bundle.SignedBy)
	}
	return o
}

func (o overview) text(w io.Writer) {
	fmt.Fprintf(w, "release  %s\n", printable(releaseLine(o.Release)))
	if o.Release.Sequence > 0 {
		fmt.Fprintf(w, "sequence %d\n", o.Release.Sequence)
	}
	if !o.Release.Expires.IsZero() {
		fmt.Fprintf(w, "expires  %s\n", o.Release.Expires)
	}
	o.counts.text(w)
	if o.Digest == "" {
		return
	}
	fmt.Fprintf(w, "bundle   %s, built by %s\n", manifests.Bytes(o.Size), printable(o.Tool))
	switch o.Signature {
	case "valid":
		fmt.Fprintf(w, "signed   by key %s; run island verify to check the contents too\n", o.SignedBy)
	case "unsigned":
		fmt.Fprintf(w, "signed   no\n")
	default:
		fmt.Fprintf(w, "signed   not checked: give --key\n")
	}
	fmt.Fprintf(w, "identity %s\n", o.Digest)
}

type imageList []manifests.LockedImage

func (l imageList) text(w io.Writer) {
	table(w, "IMAGE|DIGEST|PLATFORMS|NEEDED BY", func(row func(...string)) {
		for _, image := range l {
			var platforms []string
			for _, m := range image.Manifests {
				platforms = append(platforms, m.Platform.String())
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

func (l chartList) text(w io.Writer) {
	table(w, "CHART|VERSION|APP|DIGEST|SIZE|REPOSITORY", func(row func(...string)) {
		for _, c := range l {
			row(c.Name, c.Version, c.App, c.Content.Digest.Short(), manifests.Bytes(c.Content.Size).String(), c.Repo)
		}
	})
}

type fileList []manifests.LockedFile

func (l fileList) text(w io.Writer) {
	table(w, "FILE|MODE|DIGEST|SIZE|FROM", func(row func(...string)) {
		for _, f := range l {
			row(string(f.Path), fmt.Sprintf("%04o", f.Mode), f.Content.Digest.Short(), manifests.Bytes(f.Content.Size).String(), f.Content.URL)
		}
	})
}

type omissionList []manifests.Omission

func (l omissionList) text(w io.Writer) {
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

func (a *app) showWhy(v *view, part string) error {
	result := whyResult{Images: []manifests.LockedImage{}, LeftOut: []manifests.Omission{}}
	for _, image := range v.Lock.Images {
		if strings.Contains(image.Name.String(), part) || strings.Contains(string(image.Digest), part) {
			result.Images = append(result.Images, image)
		}
	}
	for _, omission := range v.Lock.LeftOut {
		if strings.Contains(omission.What, part) {
			result.LeftOut = append(result.LeftOut, omission)
		}
	}
	for _, chart := range v.Lock.Charts {
		if chart.DecidedBy != "" && strings.Contains(chart.Name, part) {
			result.Charts = append(result.Charts, chart)
		}
	}
	for _, file := range v.Lock.Files {
		if file.DecidedBy != "" && strings.Contains(string(file.Path), part) {
			result.Files = append(result.Files, file)
		}
	}
	if len(result.Images)+len(result.LeftOut)+len(result.Charts)+len(result.Files) == 0 {
		return usage("island show "+v.Name+" --images lists them", "no image carried or left out has %q in its name", part)
	}
	return a.print(result)
}

func (r whyResult) text(w io.Writer) {
	for _, image := range r.Images {
		fmt.Fprintf(w, "%s\n  %s\n", printable(image.Name.String()), image.Digest)
		for _, origin := range image.From {
			fmt.Fprintf(w, "  needed by %s\n", printable(originLine(origin)))
		}
		decidedBy(w, image.DecidedBy)
	}
	for _, chart := range r.Charts {
		fmt.Fprintf(w, "%s\n  %s\n", printable("chart "+chart.Name+" "+chart.Version), chart.Content.Digest)
		decidedBy(w, chart.DecidedBy)
	}
	for _, file := range r.Files {
		fmt.Fprintf(w, "%s\n  %s\n", printable(string(file.Path)), file.Content.Digest)
		decidedBy(w, file.DecidedBy)
	}
	for _, omission := range r.LeftOut {
		fmt.Fprintf(w, "%s\n  left out: %s\n", printable(omission.What), printable(omission.Reason))
		if line := originLine(omission.Origin); line != "" {
			fmt.Fprintf(w, "  seen in %s\n", printable(line))
		}
	}
}

func decidedBy(w io.Writer, patch string) {
	if patch != "" {
		fmt.Fprintf(w, "  decided by patch %s\n", printable(patch))
	}
}
