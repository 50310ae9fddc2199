package main

import (
	"cmp"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/source"
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
	sequence  uint64
	platforms []string

	stubRequired    bool
	includeDisabled bool
}

func (f *releaseFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "release document, or a Wire build.json")
	flags.StringArrayVar(&f.overlays, "overlay", nil, "overlay document to lay over the release (repeatable)")
	flags.StringArrayVarP(&f.patches, "patch", "p", nil, "patch document to lay over the release (repeatable; they say their order themselves)")
	flags.BoolVar(&f.signed, "require-signed", false, "refuse release, overlays and patches that are not signed with a --doc-key")
	flags.StringArrayVar(&f.docKeys, "doc-key", nil, "public key of who may sign documents (repeatable)")
	flags.StringVar(&f.profile, "profile", "", "profile of the release to apply, such as default, demo or min")
	flags.StringVar(&f.name, "name", "", "name of the release")
	flags.StringVar(&f.version, "release-version", "", "version of the release")
	flags.StringVar(&f.cycle, "cycle", "", "6-month cycle that the release belongs to, such as 2026-H1")
	flags.StringVar(&f.date, "date", "", "day of release, such as 2026-03-31 (default: the document's, else SOURCE_DATE_EPOCH, else today)")
	flags.StringVar(&f.expires, "expires", "", "day after which the bundle should not be installed")
	flags.Uint64Var(&f.sequence, "sequence", 0, "number that grows with every delivery")
	flags.StringArrayVar(&f.platforms, "platform", nil, "platform to carry, such as linux/amd64 (repeatable)")
	flags.BoolVar(&f.stubRequired, "stub-required", false, "make up the values that charts demand and nobody gave, to find their images; the lock says which")
	flags.BoolVar(&f.includeDisabled, "include-disabled", false, "carry the images of features that are switched off, too")
	_ = cmd.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions([]string{"default", "demo", "min"}, cobra.ShellCompDirectiveNoFileComp))
}

func (f *releaseFlags) assemble() (*resolve.Assembled, error) {
	input := resolve.Input{
		File: f.file, Overlays: f.overlays, Patches: f.patches, Profile: f.profile,
		Metadata: manifests.Metadata{Name: f.name, Version: f.version, Cycle: f.cycle, Sequence: f.sequence},
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
		input.Platforms = append(input.Platforms, platform)
	}
	if input.Today, err = today(); err != nil {
		return nil, err
	}
	input.IncludeDisabled = f.includeDisabled
	return resolve.Assemble(input)
}

func (f *releaseFlags) policy() (resolve.Policy, error) {
	if len(f.docKeys) == 0 {
		return resolve.Policy{RequireSigned: f.signed}, nil
	}
	trust, err := (&trustFlags{keys: f.docKeys}).trust()
	return resolve.Policy{RequireSigned: f.signed, Keys: trust.Keys}, err
}

// today returns the day that reproducible-builds.org's SOURCE_DATE_EPOCH names,
// else the clock's.
func today() (manifests.Date, error) {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return manifests.DateOf(time.Now()), nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || seconds < 0 {
		return manifests.Date{}, usage("", "SOURCE_DATE_EPOCH: %q is not a number of seconds", epoch)
	}
	return manifests.DateOf(time.Unix(seconds, 0)), nil
}

// upstreamFlags say how the world is reached.
type upstreamFlags struct {
	mirrors  string
	cacheDir string
	offline  bool
	perHost  int
	total    int
}

func (f *upstreamFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.mirrors, "mirrors", "", "mirrors file: which registries, repositories and folders stand for which names")
	flags.StringVar(&f.cacheDir, "cache-dir", "", "folder for indexes, manifests and charts (default: $XDG_CACHE_HOME/island)")
	flags.BoolVar(&f.offline, "offline", false, "ask no server: use folders and the cache alone")
	flags.IntVar(&f.perHost, "per-host", 4, "connections to one host at once")
	flags.IntVar(&f.total, "connections", 8, "connections at once")
}

func (f *upstreamFlags) open(a *app, baseDir string) (*source.Upstream, error) {
	options := source.Options{
		Network: registry.Options{
			Offline: f.offline, PerHost: f.perHost, Total: f.total, UserAgent: toolVersion(),
			Log: func(message string) { a.note("%s", printable(message)) },
		},
		CacheDir: f.cacheDir, BaseDir: baseDir,
	}
	if f.perHost < 1 || f.total < 1 {
		return nil, usage("", "--per-host and --connections want at least 1")
	}
	if options.CacheDir == "" {
		folder, err := cacheFolder()
		if err != nil {
			return nil, err
		}
		options.CacheDir = folder
	}
	if f.mirrors != "" {
		mirrors, err := source.ReadMirrors(f.mirrors)
		if err != nil {
			return nil, err
		}
		options.Mirrors = mirrors
	}
	return source.New(options)
}

// cacheFolder follows the XDG Base Directory Specification on every system.
func cacheFolder() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil && os.Getenv("XDG_CACHE_HOME") == "" {
		return "", usage("set XDG_CACHE_HOME, or give --cache-dir", "no folder for the cache: %w", err)
	}
	return filepath.Join(cmp.Or(os.Getenv("XDG_CACHE_HOME"), filepath.Join(home, ".cache")), "island"), nil
}
