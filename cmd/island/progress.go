package main

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
)

// progress tells how far a command is: bars with totals and rates on a
// terminal, plain lines elsewhere. It serves resolving and everything that is
// counted in bytes.
type progress struct {
	name     string // of the job in bytes: build, verify
	err      *printable.Printer
	quiet    bool
	terminal bool

	mu     sync.Mutex
	bars   *mpb.Progress
	bar    *mpb.Bar
	total  int64
	reused atomic.Int64
	done   atomic.Int64
	start  time.Time
	said   time.Time
}

// plainEvery is how often a plain line is written where there is no terminal.
const plainEvery = 10 * time.Second

func (a *app) progress(name string) *progress {
	p := &progress{name: name, err: a.err, quiet: a.quiet, start: time.Now()}
	if file, ok := a.terminal(); ok {
		p.terminal = true
		p.bars = mpb.New(mpb.WithOutput(file), mpb.WithRefreshRate(120*time.Millisecond))
	}
	return p
}

// terminal returns the terminal on which progress is drawn, if there is one. What is
// drawn has the codes of the bars in it, and is made printable before.
func (a *app) terminal() (*os.File, bool) {
	file, ok := a.err.File()
	return file, ok && !a.quiet && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

// close takes the bars off the terminal; a summary follows on stdout.
func (p *progress) close() {
	p.mu.Lock()
	bar := p.bar
	p.mu.Unlock()
	if p.bars != nil {
		if bar != nil {
			bar.Abort(true)
		}
		p.bars.Wait()
	}
}

func (p *progress) line(format string, args ...any) {
	if !p.quiet && !p.terminal {
		p.err.Printf("island: "+format+"\n", args...)
	}
}

// Stage implements resolve.Progress.
func (p *progress) Stage(name string, total int) {
	p.line("resolve: %d %s", total, name)
	if p.bars == nil || total == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bar = p.bars.AddBar(int64(total), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("resolve "+name, decor.WC{W: 15, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.CountersNoUnit("%d of %d")))
}

// Step implements resolve.Progress.
func (p *progress) Step(string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Increment()
	}
}

// Notice implements resolve.Progress.
func (p *progress) Notice(text string) {
	switch {
	case p.quiet:
	case p.bars != nil:
		fmt.Fprintln(p.bars, "island: note: "+printable.Line(text))
	default:
		p.line("note: %s", text)
	}
}

// Total implements bundle.Progress.
func (p *progress) Total(bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total, p.start = bytes, time.Now()
	p.line("%s: %s in all", p.name, manifests.Bytes(bytes))
	if p.bars != nil {
		p.bar = p.bars.AddBar(bytes, mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(p.name, decor.WC{W: 8, C: decor.DindentRight}), decor.CountersKibiByte("% .1f of % .1f")),
			mpb.AppendDecorators(
				decor.AverageSpeed(decor.SizeB1024(0), "% .1f"), decor.Name("  "), decor.AverageETA(decor.ET_STYLE_GO), decor.Name(" left")))
	}
}

// Reused implements bundle.Progress.
func (p *progress) Reused(bytes int64) {
	p.reused.Add(bytes)
	p.advance(bytes)
}

// Done implements bundle.Progress.
func (p *progress) Done(bytes int64) { p.advance(bytes) }

func (p *progress) advance(bytes int64) {
	done := p.done.Add(bytes)
	if p.terminal {
		p.bar.IncrInt64(bytes)
		return
	}
	if p.quiet || !p.mu.TryLock() {
		return
	}
	defer p.mu.Unlock()
	if now := time.Now(); now.Sub(p.start) > plainEvery && now.Sub(p.said) > plainEvery {
		p.said = now
		rate := manifests.Bytes(float64(done-p.reused.Load()) / now.Sub(p.start).Seconds())
		p.line("%s: %s of %s, %s/s", p.name, manifests.Bytes(done), manifests.Bytes(p.total), rate)
	}
}

var (
	_ bundle.Progress  = (*progress)(nil)
	_ resolve.Progress = (*progress)(nil)
)
