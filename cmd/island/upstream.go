package main

import (
	"cmp"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/internal/printable"
)

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

// open makes what fetches. The secrets are those of the release's URLs, if it is at
// hand.
func (f *upstreamFlags) open(a *app, baseDir string, secrets *source.Secrets) (*source.Upstream, error) {
	options := source.Options{
		Network: registry.Options{
			Offline: f.offline, PerHost: f.perHost, Total: f.total, UserAgent: toolVersion(),
			Log: func(message string) { a.note("%s", printable.Text(message)) },
		},
		CacheDir: f.cacheDir, BaseDir: baseDir, Secrets: secrets,
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
		if err := checkForm(f.mirrors, aMirrorsFile); err != nil {
			return nil, err
		}
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
