package main

import (
	"cmp"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/manifests"
)

// upstreamFlags say how the world is reached.
type upstreamFlags struct {
	mirrors  string
	cacheDir string
	offline  bool
	perHost  int
	total    int
	minRate  rate
	patience time.Duration
}

// add adds them to a command, and says when they do nothing there.
func (f *upstreamFlags) add(a *app, cmd *cobra.Command) {
	inGroup(cmd, ofFetching, f.addFlags)
	a.idle(cmd, idleWith([]string{"per-host", "min-rate"}, "offline", "leave one out: --offline asks no server"))
}

func (f *upstreamFlags) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.mirrors, "mirrors", "", "mirrors file: which registries, repositories and folders stand for which names")
	flags.StringVar(&f.cacheDir, "cache-dir", "", "folder for indexes, manifests and charts (default: $XDG_CACHE_HOME/island)")
	flags.BoolVar(&f.offline, "offline", false, "ask no server: use folders and the cache alone")
	flags.IntVar(&f.perHost, "per-host", 4, "connections to one host at once")
	flags.IntVar(&f.total, "connections", 8, "connections at once")
	f.minRate = 1024
	flags.Var(&f.minRate, "min-rate", "slowest transfer that is waited for, a second, measured over a minute; 0 for any")
	flags.DurationVar(&f.patience, "patience", 10*time.Minute, "give up when nothing was finished for so long; 0 for never")
}

// open makes what fetches. The secrets are those of the release's URLs, if it is at
// hand.
func (f *upstreamFlags) open(a *app, baseDir string, secrets *source.Secrets) (*source.Upstream, error) {
	options := source.Options{
		Network: registry.Options{
			Offline: f.offline, PerHost: f.perHost, Total: f.total, UserAgent: toolVersion(),
			MinRate: limitOf(int64(f.minRate)), Patience: limitOf(f.patience),
			Log: func(message string) { a.note("%s", message) },
		},
		CacheDir: f.cacheDir, BaseDir: baseDir, Secrets: secrets,
	}
	if f.perHost < 1 || f.total < 1 {
		return nil, usage("", "--per-host and --connections want at least 1")
	}
	if f.patience < 0 {
		return nil, usage("write it like 10m or 90s", "--patience wants a time, and %s is none", f.patience)
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

// limitOf returns what package registry takes for a limit that a flag sets: none if
// that is 0.
func limitOf[T ~int64](limit T) T {
	if limit == 0 {
		return -1
	}
	return limit
}

// rate is an amount of bytes a second, as a flag.
type rate int64

// rateType is what pflag calls the value of a rate.
const rateType = "rate"

// maxRate is as much as a flag takes: more is a mistake in the unit.
const maxRate = 1 << 40

var ratePattern = regexp.MustCompile(`^([0-9]{1,15}(?:\.[0-9]{1,6})?) ?(B|kB|KB|MB|GB|KiB|MiB|GiB)?(?:/s)?$`)

// Set reads a rate such as 1KiB, "1 KiB" or 1024.
func (r *rate) Set(text string) error {
	found := ratePattern.FindStringSubmatch(text)
	if found == nil {
		return errors.New("not an amount of bytes a second")
	}
	amount, err := strconv.ParseFloat(found[1], 64)
	unit := map[string]float64{
		"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	}[found[2]]
	if err != nil || amount*unit > maxRate {
		return errors.New("too much")
	}
	*r = rate(math.Ceil(amount * unit))
	return nil
}

func (r *rate) String() string { return manifests.Bytes(*r).String() }

// Type is what stands for the value in help.
func (*rate) Type() string { return rateType }

// cacheFolder follows the XDG Base Directory Specification on every system.
func cacheFolder() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil && os.Getenv("XDG_CACHE_HOME") == "" {
		return "", usage("set XDG_CACHE_HOME, or give --cache-dir", "no folder for the cache: %w", err)
	}
	return filepath.Join(cmp.Or(os.Getenv("XDG_CACHE_HOME"), filepath.Join(home, ".cache")), "island"), nil
}
