package main

import (
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/survey"
)

// hostProgress tells how far each host is: a bar for each on a terminal that has
// room for them, one for all where it has not, and a line for each step
// elsewhere.
type hostProgress struct {
	app  *app
	bars *mpb.Progress
	all  *mpb.Bar

	mu    sync.Mutex
	hosts map[string]*hostBar
}

type hostBar struct {
	bar   *mpb.Bar // nil where there is no room for it
	stage string
}

// reservedLines are those that are not for hosts: the bar of all, and the prompt.
const reservedLines = 3

func (a *app) hostProgress(hosts []survey.Host) *hostProgress {
	p := &hostProgress{app: a, hosts: map[string]*hostBar{}}
	file, ok := a.terminal()
	if !ok {
		return p
	}
	width, height, err := term.GetSize(int(file.Fd()))
	if err != nil || width <= 0 {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(file), mpb.WithWidth(min(width/3, 40)))
	for _, host := range hosts {
		shown := &hostBar{stage: "waits"}
		p.hosts[host.Name] = shown
		if len(hosts)+reservedLines > height {
			continue
		}
		shown.bar = p.bars.AddBar(int64(len(survey.Stages)), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(printable.Line(host.Name), decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.stageOf(shown) }, decor.WC{W: 8, C: decor.DindentRight})))
	}
	p.all = p.bars.AddBar(int64(len(hosts)), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("hosts", decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CountersNoUnit("%d of %d"), decor.Elapsed(decor.ET_STYLE_GO, decor.WC{W: 5})))
	return p
}

func (p *hostProgress) stageOf(h *hostBar) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return h.stage
}

// close takes the bars off the terminal.
func (p *hostProgress) close() {
	if p.bars == nil {
		return
	}
	for _, host := range p.hosts {
		if host.bar != nil {
			host.bar.Abort(true)
		}
	}
	p.all.Abort(true)
	p.bars.Wait()
}

// Host implements survey.Progress.
func (p *hostProgress) Host(name string, stage survey.Stage) {
	if p.bars == nil {
		p.app.note("%s: %s", name, stage)
		return
	}
	p.mu.Lock()
	host := p.hosts[name]
	host.stage = string(stage)
	p.mu.Unlock()
	if host.bar != nil {
		for done, known := range survey.Stages {
			if known == stage {
				host.bar.SetCurrent(int64(done))
			}
		}
	}
}

// Done implements survey.Progress.
func (p *hostProgress) Done(name string, reach facts.Reach) {
	if p.bars == nil {
		p.app.note("%s: %s after %.1f s", name, reach.Outcome, reach.Elapsed)
		return
	}
	if reach.Outcome != facts.Reached {
		_, _ = p.bars.Write([]byte("island: " + printable.Line(name) + ": " + string(reach.Outcome) + "\n"))
	}
	if bar := p.hosts[name].bar; bar != nil {
		bar.SetCurrent(int64(len(survey.Stages)))
	}
	p.all.Increment()
}

var _ survey.Progress = (*hostProgress)(nil)
