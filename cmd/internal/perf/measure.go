//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"
)

// bench is one run of everything, and what came out.
type bench struct {
	settings
	self   string // this binary
	server string // the fixture's
	key    string // pair to sign with, without .key and .pub

	full    contents // of the world that is measured in full
	bundle  int64    // size of its bundle, bytes
	cold    series   // resolve with no cache
	warm    series   // resolve with the cache of the run before
	builds  series
	floors  series
	checks  series // verify
	hashes  series
	peaks   []peak
	today   *comparison
	skipped string // why today's way was not tried
}

// peak is the peak memory on a world of one size.
type peak struct {
	bytes         int64
	build, verify int64
}

// comparison is today's way beside island's on one world.
type comparison struct {
	contents
	usage
	archive int64
	build   usage
	bundle  int64
}

func (b *bench) measure(ctx context.Context) error {
	if err := b.measureFull(ctx); err != nil {
		return err
	}
	if b.settings.today > 0 {
		if err := b.compareToday(ctx); err != nil {
			return err
		}
	}
	for _, bytes := range []int64{b.small, b.large} {
		if bytes == 0 {
			continue
		}
		if err := b.measurePeak(ctx, bytes); err != nil {
			return err
		}
	}
	slices.SortFunc(b.peaks, func(x, y peak) int { return int((x.bytes - y.bytes) >> 10) })
	return nil
}

// measureFull takes turns, so that what else the machine does falls on all
// alike.
func (b *bench) measureFull(ctx context.Context) error {
	w, err := b.startWorld(ctx, b.bytes, b.charts, b.images)
	if err != nil {
		return err
	}
	defer w.stop()
	for i := range b.repeat {
		fmt.Fprintf(os.Stderr, "bench: repetition %d of %d\n", i+1, b.repeat)
		cold, contents, err := b.resolve(ctx, w, true)
		if err != nil {
			return err
		}
		warm, _, err := b.resolve(ctx, w, false)
		if err != nil {
			return err
		}
		b.full = contents
		b.cold, b.warm = append(b.cold, cold), append(b.warm, warm)
		turns := []turn{{b.floor, &b.floors}, {b.build, &b.builds}}
		if i%2 == 1 { // who comes first may matter
			slices.Reverse(turns)
		}
		// The bundle was just written, or read: it is in the page cache for both.
		turns = append(turns, turn{b.hash, &b.hashes}, turn{b.verify, &b.checks})
		for _, t := range turns {
			u, err := t.run(ctx, w)
			if err != nil {
				return err
			}
			*t.into = append(*t.into, u)
		}
	}
	b.peaks = append(b.peaks, peak{b.bytes, b.builds.peak(), b.checks.peak()})
	info, err := os.Stat(w.bundle())
	if err != nil {
		return err
	}
	b.bundle = info.Size()
	return nil
}

type turn struct {
	run  func(context.Context, *world) (usage, error)
	into *series
}

// measurePeak builds and verifies on a world of another size. The peak of
// several runs is the largest.
func (b *bench) measurePeak(ctx context.Context, bytes int64) error {
	w, err := b.startWorld(ctx, bytes, b.charts, b.images)
	if err != nil {
		return err
	}
	defer w.stop()
	if _, _, err := b.resolve(ctx, w, false); err != nil {
		return err
	}
	var builds, checks series
	for range b.repeat {
		for _, t := range []turn{{b.build, &builds}, {b.verify, &checks}} {
			u, err := t.run(ctx, w)
			if err != nil {
				return err
			}
			*t.into = append(*t.into, u)
		}
	}
	b.peaks = append(b.peaks, peak{bytes, builds.peak(), checks.peak()})
	return nil
}

// The world of the comparison is the fixture's smallest. The more images share
// a base, the more today's way repeats it; 150 images of this fixture share far
// more than real ones do, which would flatter island.
const todayCharts, todayImages = 12, 25

func (b *bench) compareToday(ctx context.Context) error {
	if _, err := exec.LookPath("skopeo"); err != nil {
		b.skipped = "skopeo is not installed"
		return nil
	}
	w, err := b.startWorld(ctx, b.settings.today, todayCharts, todayImages)
	if err != nil {
		return err
	}
	defer w.stop()
	c := &comparison{}
	if _, c.contents, err = b.resolve(ctx, w, false); err != nil {
		return err
	}
	if c.build, err = b.build(ctx, w); err != nil {
		return err
	}
	info, err := os.Stat(w.bundle())
	if err != nil {
		return err
	}
	c.bundle = info.Size()
	fmt.Fprintf(os.Stderr, "bench: today's way, %d images one by one\n", c.Images)
	if c.usage, c.archive, err = b.todaysWay(ctx, w); err != nil {
		return err
	}
	b.today = c
	return nil
}

// series is one measurement, repeated.
type series []usage

// median takes the median of each figure by itself.
func (s series) median() usage {
	return usage{
		wall: middle(s, func(u usage) time.Duration { return u.wall }),
		cpu:  middle(s, func(u usage) time.Duration { return u.cpu }),
		peak: s.peak(),
		read: middle(s, func(u usage) int64 { return u.read }),
		// Never less than what any run wrote: a bound is a bound.
		written: s.most(func(u usage) int64 { return u.written }),
		toDisk:  s.most(func(u usage) int64 { return u.toDisk }),
	}
}

func (s series) peak() int64 { return s.most(func(u usage) int64 { return u.peak }) }

func (s series) most(of func(usage) int64) int64 {
	most := int64(0)
	for _, u := range s {
		most = max(most, of(u))
	}
	return most
}

// extremes returns the shortest and the longest time.
func (s series) extremes() (fastest, slowest time.Duration) {
	fastest = s[0].wall
	for _, u := range s {
		fastest, slowest = min(fastest, u.wall), max(slowest, u.wall)
	}
	return fastest, slowest
}

func middle[N int64 | time.Duration](s series, of func(usage) N) N {
	var values []N
	for _, u := range s {
		values = append(values, of(u))
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
