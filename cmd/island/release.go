package main

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/manifests"
)

// releaseFlags say which release is meant, and what it does not say itself.
type releaseFlags struct {
	file      string
	overlays  []string
	patches   []string
	signed    bool
	docKeys   []string
	profile   string
	name      string
	version   string
	cycle     string
	date      string
	expires   string
	sequence  sequenceFlag
	after     string
	platforms []string

	stubRequired    bool
	includeDisabled bool
}

// add adds all flags, for what makes a delivery.
func (f *releaseFlags) add(cmd *cobra.Command) {
	f.addFile(cmd)
	inGroup(cmd, ofRelease, func(cmd *cobra.Command) {
		f.addDocuments(cmd)
		f.addSelection(cmd)
		f.addDiscovery(cmd)
		f.addPlace(cmd)
	})
}

func (f *releaseFlags) addFile(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "file", "f", "", "release document, or a Wire build.json")
}

// addDocuments adds those that say what is laid over the release, whether that is
// signed, and what it does not say itself of which release it is.
func (f *releaseFlags) addDocuments(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.overlays, "overlay", nil, "overlay document to lay over the release (repeatable)")
	flags.StringArrayVarP(&f.patches, "patch", "p", nil,
		"patch document to lay over the release (repeatable; they say their order themselves)")
	flags.BoolVar(&f.signed, "require-signed", false, "refuse release, overlays and patches that are not signed with a --doc-key")
	flags.StringArrayVar(&f.docKeys, "doc-key", nil, "public key of who may sign documents (repeatable)")
	flags.StringVar(&f.name, "name", "", "name of the release")
	flags.StringVar(&f.version, "release-version", "", "version of the release")
}

// addSelection adds those that say what of the release is taken.
func (f *releaseFlags) addSelection(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.profile, "profile", "", "profile of the release to apply, such as default, demo or min")
	flags.StringArrayVar(&f.platforms, "platform", nil,
		"platform to carry, such as linux/amd64, linux/arm/v7 or windows/amd64:10.0.20348 (repeatable)")
	_ = cmd.RegisterFlagCompletionFunc("profile",
		cobra.FixedCompletions([]string{"default", "demo", "min"}, cobra.ShellCompDirectiveNoFileComp))
}

// addDiscovery adds those that say how images are looked for.
func (f *releaseFlags) addDiscovery(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.stubRequired, "stub-required", false,
		"make up the values that charts demand and nobody gave, to find their images; the lock says which")
	flags.BoolVar(&f.includeDisabled, "include-disabled", false, "carry the images of features that are switched off, too")
}

// addPlace adds those that place the delivery in time, and among others.
func (f *releaseFlags) addPlace(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.cycle, "cycle", "", "6-month cycle that the release belongs to, such as 2026-H1")
	flags.StringVar(&f.date, "date", "", "day of release, such as 2026-03-31 (default: the document's, else SOURCE_DATE_EPOCH, else today)")
	flags.StringVar(&f.expires, "expires", "", "day after which the bundle should not be installed")
	flags.Var(&f.sequence, "sequence", "`number` that grows with every delivery (default: the documents', with patches one more)")
	flags.StringVar(&f.after, "after", "",
		"`DELIVERY` that this one comes after, whose sequence it has to exceed: a bundle, a lock, or a site's state file")
}

func (f *releaseFlags) assemble() (*resolve.Assembled, error) {
	input := resolve.Input{
		File: f.file, Overlays: f.overlays, Patches: f.patches, Profile: f.profile,
		Metadata: manifests.Metadata{Name: f.name, Version: f.version, Cycle: f.cycle, Sequence: manifests.Sequence(f.sequence)},
	}
	var err error
	if input.Policy, err = f.policy(); err != nil {
		return nil, err
	}
	for _, date := range []struct {
		flag, text string
		into       *manifests.Date
	}{{"--date", f.date, &input.Metadata.Date}, {"--expires", f.expires, &input.Metadata.Expires}} {
		if date.text != "" {
			if *date.into, err = manifests.ParseDate(date.text); err != nil {
				return nil, usage("", "%s: %w", date.flag, err)
			}
		}
	}
	for _, text := range f.platforms {
		platform, err := manifests.ParsePlatform(text)
		if err != nil {
			return nil, usage("", "--platform: %w", err)
		}
		if usual := platform.Usual(); usual != platform {
			return nil, usage("write "+usual.String(), "--platform: %s is spelled otherwise", platform)
		}
		input.Platforms = append(input.Platforms, platform)
	}
	if input.Today, err = today(); err != nil {
		return nil, err
	}
	if f.after != "" {
		if input.After, err = readEarlier(f.after); err != nil {
			return nil, err
		}
	}
	input.IncludeDisabled = f.includeDisabled
	if err := f.checkForms(); err != nil {
		return nil, err
	}
	return resolve.Assemble(input)
}

// inputs are the files that the flags name.
func (f *releaseFlags) inputs() []string {
	return slices.Concat([]string{f.file, f.after}, f.overlays, f.patches, f.docKeys)
}

// checkForms reports all documents at once that are something else.
func (f *releaseFlags) checkForms() error {
	errs := []error{checkForm(f.file, aRelease)}
	for _, name := range f.overlays {
		errs = append(errs, checkForm(name, anOverlay))
	}
	for _, name := range f.patches {
		errs = append(errs, checkForm(name, aPatch))
	}
	return errors.Join(errs...)
}

func (f *releaseFlags) policy() (resolve.Policy, error) {
	if len(f.docKeys) == 0 {
		return resolve.Policy{RequireSigned: f.signed}, nil
	}
	trust, err := (&trustFlags{keys: f.docKeys}).trust()
	return resolve.Policy{RequireSigned: f.signed, Keys: trust.Keys}, err
}
