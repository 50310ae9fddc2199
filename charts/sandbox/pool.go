package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// The limits on a worker.
const (
	MaxMemory = 2 << 30         // bytes of one worker
	maxStderr = 64 << 10        // bytes of a dying worker's last words that are looked at
	grace     = 5 * time.Second // beyond the time limits of all renderings of a chart
)

// ErrMemory says that a chart needed more memory than a worker may take, and
// ErrRecursion that a template called itself without end. One that does not
// come to an end is [charts.ErrRenderTime].
var (
	ErrMemory    = errors.New("rendering takes more memory than a chart may")
	ErrRecursion = errors.New("a template calls itself without end")
)

// Options say how many workers there are.
type Options struct {
	Workers int             // 0 means as many as Go uses processors
	Memory  manifests.Bytes // of one worker; 0 means MaxMemory
	// Lacks is told, at most once, what the workers could not have of what the
	// operating system offers to lock them in, and why.
	Lacks func(text string)
}

// Pool is a few workers. It may be used by several goroutines at once.
type Pool struct {
	program string
	memory  manifests.Bytes
	slots   chan *worker // nil in a slot: a worker is started when it is needed
	size    int
	close   sync.Once
	layers  []layer // that workers are to have
	isolate func(*exec.Cmd)
	lacks   func(text string)
	told    sync.Once
}

// New makes a pool. Workers are started when they are needed. The program has
// to call [Main] first, see there.
func New(options Options) (*Pool, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fault.Explain(err, fault.Failure, fault.Here, "renderer", "the program has to find its own file")
	}
	size := options.Workers
	if size <= 0 {
		size = runtime.GOMAXPROCS(0)
	}
	memory := options.Memory
	if memory <= 0 {
		memory = MaxMemory
	}
	pool := &Pool{
		program: program, memory: memory, slots: make(chan *worker, size), size: size, layers: allLayers, isolate: inNamespaces,
		lacks: options.Lacks,
	}
	for range size {
		pool.slots <- nil
	}
	return pool, nil
}

// Close ends all workers. It waits for those at work.
func (p *Pool) Close() {
	p.close.Do(func() {
		for range p.size {
			if w := <-p.slots; w != nil {
				w.end()
			}
		}
	})
}

// Discover does in a worker what [charts.Load] and [charts.Chart.Discover] do,
// and returns the same result and the same errors. When ctx ends, or the time
// limits of all renderings have passed, the worker is killed.
func (p *Pool) Discover(ctx context.Context, archive []byte, options charts.DiscoverOptions) (charts.Discovery, error) {
	var w *worker
	select {
	case w = <-p.slots:
	case <-ctx.Done():
		return charts.Discovery{}, context.Cause(ctx)
	}
	if w == nil {
		var err error
		if w, err = p.start(); err != nil {
			p.slots <- nil
			return charts.Discovery{}, fault.Explain(err, fault.Failure, fault.Here, "renderer",
				"the program starts itself again to render charts; its own file has to be executable")
		}
	}
	limit := timeLimit(options)
	timed, cancel := context.WithTimeout(ctx, limit+grace)
	defer cancel()
	chart, said, err := w.ask(timed, request{archive, options})
	if err == nil {
		p.tell(w.lacks)
		if said.Spent {
			w.end()
			w = nil
		}
		p.slots <- w
		return said.Discovery, said.err()
	}
	p.slots <- nil
	switch {
	case ctx.Err() != nil:
		return charts.Discovery{}, context.Cause(ctx)
	case timed.Err() != nil:
		err = fmt.Errorf("%w after %s", charts.ErrRenderTime, limit)
	}
	return charts.Discovery{}, fault.New(fault.Failure, fault.Upstream, chart.object(),
		"a template of this chart loops or works on far too much; helm template would hang or fail as well", "%w", err)
}

// object names a chart whose worker died, if it said so much.
func (g greeting) object() string {
	if g.Chart.Name == "" {
		return "chart archive"
	}
	return "chart " + g.Chart.String()
}

func timeLimit(options charts.DiscoverOptions) time.Duration {
	total := time.Duration(0)
	for _, how := range options.Renderings {
		if how.TimeLimit > 0 {
			total += how.TimeLimit
		} else {
			total += charts.MaxRenderTime
		}
	}
	if total == 0 {
		return charts.MaxRenderTime
	}
	return total
}

// worker is a child process.
type worker struct {
	process *exec.Cmd
	memory  manifests.Bytes
	in      io.WriteCloser
	out     *bufio.Reader
	stderr  *tail
	greeted bool
	lacks   missing
}

// tell says once what workers lack.
func (p *Pool) tell(lacks missing) {
	if p.lacks == nil || len(lacks) == 0 {
		return
	}
	p.told.Do(func() {
		p.lacks("charts are rendered with less around them than there can be, without: " + lacks.text())
	})
}

// start starts a worker, in namespaces of its own if that is allowed.
func (p *Pool) start() (*worker, error) {
	if !slices.Contains(p.layers, spaces) {
		return p.startIn(nil)
	}
	w, refusal := p.startIn(p.isolate)
	if refusal == nil {
		return w, nil
	}
	w, err := p.startIn(nil)
	if err == nil {
		w.lacks = missing{spaces: fmt.Sprintf("%.*s", maxReason, refusal.Error())}
	}
	return w, err
}

func (p *Pool) startIn(isolate func(*exec.Cmd)) (*worker, error) {
	arguments := []string{workerArgument, strconv.FormatInt(int64(p.memory), 10), join(p.layers)}
	w := &worker{process: exec.Command(p.program, arguments...), stderr: &tail{}, memory: p.memory, lacks: missing{}}
	if isolate != nil {
		isolate(w.process)
	}
	w.process.Env = []string{}
	w.process.Dir = "/"
	w.process.Stderr = w.stderr
	out, err := w.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if w.in, err = w.process.StdinPipe(); err != nil {
		return nil, err
	}
	w.out = bufio.NewReaderSize(out, 1<<16)
	return w, w.process.Start()
}

// ask sends a request and waits for the answer. After an error the worker is
// gone, and the greeting says which chart it had, if it came so far.
func (w *worker) ask(ctx context.Context, asked request) (greeting, answer, error) {
	stop := context.AfterFunc(ctx, w.kill)
	defer stop()
	hello, said, err := w.converse(asked)
	if err == nil && stop() {
		return hello, said, nil
	}
	w.kill()
	exit := w.process.Wait()
	return hello, answer{}, w.stderr.cause(errors.Join(err, exit), w.memory)
}

func (w *worker) converse(asked request) (hello greeting, said answer, err error) {
	if err := send(w.in, asked, maxRequest); err != nil {
		return hello, said, err
	}
	if err := w.greet(); err != nil {
		return hello, said, err
	}
	if err := receiveAnswer(w.out, &hello); err != nil {
		return greeting{}, said, err
	}
	if err := hello.check(); err != nil {
		return greeting{}, said, err
	}
	if err := receiveAnswer(w.out, &said); err != nil {
		return hello, said, err
	}
	return hello, said, said.check(hello)
}

// greet reads the first that a worker says.
func (w *worker) greet() error {
	if w.greeted {
		return nil
	}
	var first ready
	if err := receiveAnswer(w.out, &first); err != nil {
		return err
	}
	if !first.Lacks.check() {
		return errors.New("the renderer says that it lacks what there is not")
	}
	maps.Copy(w.lacks, first.Lacks)
	w.greeted = true
	return nil
}

// end lets a worker go that has nothing to do.
func (w *worker) end() {
	w.in.Close()
	w.kill()
	_ = w.process.Wait() // its exit code says that it was killed
}

// kill ends the process if it has not ended by itself.
func (w *worker) kill() { _ = w.process.Process.Kill() }

// tail keeps the beginning of what a worker writes to stderr: Go's runtime says
// there first why it dies.
type tail struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if room := maxStderr - t.text.Len(); room > 0 {
		t.text.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// cause says why a worker died.
func (t *tail) cause(err error, memory manifests.Bytes) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	text := t.text.String()
	switch {
	case strings.Contains(text, "stack exceeds") || strings.Contains(text, "stack overflow"):
		return ErrRecursion
	case strings.Contains(text, "out of memory") || strings.Contains(text, "cannot allocate memory"),
		// A thread wants memory for its stack; which of them meets the limit is chance.
		strings.Contains(text, "pthread_create failed") || strings.Contains(text, "failed to create new OS thread"):
		return fmt.Errorf("%w: %s", ErrMemory, memory)
	}
	first, _, _ := strings.Cut(text, "\n")
	return fmt.Errorf("the renderer ended: %w: %.200s", err, first)
}
