//go:build linux

package main

import (
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/islandbundle/island/manifests"
)

// What is to be reached. docs/benchmarks.md says why.
const (
	reachWritten = 1.01      // bytes written, of the bundle's size
	reachBuild   = 1.3       // time of a build, of the floor's
	reachVerify  = 0.8       // speed of verifying, of hashing
	reachPeak    = 150 << 20 // peak resident set, bytes
	reachFlat    = 1.1       // largest peak of a build on any size, of the smallest
)

func size(n int64) string { return manifests.Bytes(n).String() }

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func (b *bench) report(w io.Writer) {
	var kernel unix.Utsname
	_ = unix.Uname(&kernel) // an unnamed kernel is no reason to stop
	fmt.Fprintf(w, "machine  %d processors, %s/%s, Linux %s, %s\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		unix.ByteSliceToString(kernel.Release[:]), runtime.Version())
	fmt.Fprintf(w, "world    %d charts, %d images in %d blobs, %s; bundle %s with the program in it\n",
		b.full.Charts, b.full.Images, b.full.Blobs, size(b.full.Bytes), size(b.bundle))
	fmt.Fprintf(w, "server   own process, loopback, plain HTTP, sendfile from the page cache; %d connections\n", connections)
	fmt.Fprintf(w, "method   %d repetitions in turns; medians of times, the most of memory and writes; page cache warm\n\n", b.repeat)
	b.table(w)
	b.reaches(w)
	b.tellToday(w)
}

func (b *bench) table(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\twall\tfrom–to\tCPU\tpeak RSS\tread\twritten\tto disk\t")
	for _, row := range []struct {
		name string
		s    series
	}{
		{"resolve, no cache", b.cold}, {"resolve, cached", b.warm},
		{"build", b.builds}, {"floor of build", b.floors},
		{"verify", b.checks}, {"hash, all cores", b.hashes},
	} {
		m := row.s.median()
		fastest, slowest := row.s.extremes()
		fmt.Fprintf(t, "%s\t%s\t%.2f–%.2f\t%s\t%s\t%s\t%s\t%s\t\n", row.name, seconds(m.wall),
			fastest.Seconds(), slowest.Seconds(),
			seconds(m.cpu), size(m.peak), size(m.read), size(m.written), size(m.toDisk))
	}
	_ = t.Flush()
	fmt.Fprintln(w)
}

func (b *bench) reaches(w io.Writer) {
	build, floor := b.builds.median(), b.floors.median()
	check, hash := b.checks.median(), b.hashes.median()
	reach(w, float64(build.written)/float64(b.bundle), reachWritten, "bytes written by build ÷ size of the bundle")
	reach(w, ratio(build.wall, floor.wall), reachBuild, "wall time of build ÷ floor")
	reach(w, ratio(hash.wall, check.wall), -reachVerify, "speed of verify ÷ hashing on all cores")
	least, most := int64(1)<<62, int64(0)
	for _, p := range b.peaks {
		most, least = max(most, p.build, p.verify), min(least, p.build)
		fmt.Fprintf(w, "      peak RSS on %8s: build %s, verify %s\n", size(p.bytes), size(p.build), size(p.verify))
	}
	reach(w, float64(most)/(1<<20), reachPeak>>20, "largest peak RSS in MiB")
	largest := int64(0)
	for _, p := range b.peaks {
		largest = max(largest, p.build)
	}
	reach(w, float64(largest)/float64(least), reachFlat, "largest peak RSS of build ÷ smallest, over all sizes")
	fmt.Fprintf(w, "      for comparison, the fastest run of each: build ÷ floor %.2f, hashing ÷ verify %.2f\n",
		ratio(fastest(b.builds), fastest(b.floors)), ratio(fastest(b.hashes), fastest(b.checks)))
	fmt.Fprintf(w, "      for comparison, CPU: build ÷ floor %.2f, verify ÷ hashing %.2f\n\n", ratio(build.cpu, floor.cpu),
		ratio(check.cpu, hash.cpu))
}

// reach prints a line about a limit, which is a lower one if it is negative.
func reach(w io.Writer, have, limit float64, what string) {
	sign, missed := "≤", have > limit
	if limit < 0 {
		limit = -limit
		sign, missed = "≥", have < limit
	}
	word := "PASS"
	if missed {
		word = "MISS"
	}
	fmt.Fprintf(w, "%s  %7.3f %s %g  %s\n", word, have, sign, limit, what)
}

func fastest(s series) time.Duration {
	least, _ := s.extremes()
	return least
}

func ratio(a, b time.Duration) float64 { return a.Seconds() / b.Seconds() }

func (b *bench) tellToday(w io.Writer) {
	switch {
	case b.today == nil && b.skipped != "":
		fmt.Fprintf(w, "today's way was not tried: %s\n", b.skipped)
		return
	case b.today == nil:
		return
	}
	c := b.today
	fmt.Fprintf(w, "today's way, once, on %d images of %s: skopeo copy to docker-archive one by one, tar, gzip\n", c.Images, size(c.Bytes))
	fmt.Fprintf(w, "  today   %8s wall, %8s CPU, %9s written, gives %s\n", seconds(c.wall), seconds(c.cpu), size(c.written), size(c.archive))
	fmt.Fprintf(w, "  island  %8s wall, %8s CPU, %9s written, gives %s\n", seconds(c.build.wall), seconds(c.build.cpu),
		size(c.build.written), size(c.bundle))
	fmt.Fprintf(w, "  island build is %.0f times as fast; image by image, today's way carries %.1f times the bytes\n",
		ratio(c.wall, c.build.wall), float64(c.archive)/float64(c.Bytes))
}
