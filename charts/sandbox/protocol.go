package sandbox

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/internal/jsonweight"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests/fault"
)

// The limits on one message, in bytes. A request has an archive and values files
// in it; an answer may come from a worker that its chart has taken over. The finds
// of the largest chart known take a tenth of one.
const (
	maxRequest = 256 << 20
	maxAnswer  = 16 << 20
	// maxWeight is how many times its bytes an answer may take in memory.
	maxWeight = 8
	// maxFaults bounds the errors of one chart.
	maxFaults = 10_000
)

// ready is the first that a worker says, once, before it is asked.
type ready struct {
	Lacks missing // layers that it could not have
}

// request asks a worker to look at one chart.
type request struct {
	Archive []byte
	Options charts.DiscoverOptions
}

// greeting comes before the answer, once the chart is loaded, so that it can be
// named if the worker dies of it: nothing of a chart is read but in a worker.
type greeting struct {
	Chart charts.Metadata // none if it cannot be loaded
}

// answer is what a worker says.
type answer struct {
	Discovery charts.Discovery
	Faults    []sentFault
	Plain     string // the text of an error that is none of ours
	Spent     bool   // the worker ends after this answer
}

// sentFault takes a [fault.Error] from one process to the other.
type sentFault struct {
	Kind   fault.Kind
	Side   fault.Side
	Place  fault.Place
	Object string
	Hint   string
	Text   string
	Is     []string // the names of the errors it is, for errors.Is
	Render *charts.RenderError
}

// sentinels are the errors that callers ask for by errors.Is.
var sentinels = map[string]error{
	"too large": charts.ErrTooLarge, "forbidden": charts.ErrForbidden, "not archive": charts.ErrNotArchive,
	"time": charts.ErrRenderTime, "much": errMuch, "latest": charts.ErrLatest, "do-not-use": charts.ErrDoNotUse,
}

func encodeError(err error, into *answer) {
	for _, explained := range fault.All(err) {
		sent := sentFault{Kind: explained.Kind, Side: explained.Side, Place: explained.Place, Object: explained.Object, Hint: explained.Hint}
		if explained.Err != nil {
			sent.Text = explained.Err.Error()
		}
		for name, sentinel := range sentinels {
			if errors.Is(explained, sentinel) {
				sent.Is = append(sent.Is, name)
			}
		}
		errors.As(explained.Err, &sent.Render)
		into.Faults = append(into.Faults, sent)
	}
	if err != nil && len(into.Faults) == 0 {
		into.Plain = err.Error()
	}
}

func (a answer) err() error {
	var all []error
	for _, sent := range a.Faults {
		cause := &received{text: sent.Text}
		if sent.Render != nil {
			cause.is = append(cause.is, sent.Render)
		}
		for _, name := range sent.Is {
			if sentinel := sentinels[name]; sentinel != nil {
				cause.is = append(cause.is, sentinel)
			}
		}
		all = append(all, &fault.Error{Kind: sent.Kind, Side: sent.Side, Place: sent.Place, Object: sent.Object, Hint: sent.Hint, Err: cause})
	}
	if a.Plain != "" {
		all = append(all, errors.New(a.Plain))
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

// received is a cause that came from the other process: its text, and what it is.
type received struct {
	text string
	is   []error
}

func (c *received) Error() string   { return c.text }
func (c *received) Unwrap() []error { return c.is }

// errMuch says that a worker has more to say than is read.
var errMuch = errors.New("more is found in this chart than is read")

// send writes a message: its length in 4 bytes, big-endian, and JSON.
func send(to io.Writer, message any, limit int) error {
	data, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(data) > limit {
		return fmt.Errorf("%w: message of %d bytes is larger than %d", errMuch, len(data), limit)
	}
	if _, err := to.Write(binary.BigEndian.AppendUint32(nil, uint32(len(data)))); err != nil {
		return err
	}
	_, err = to.Write(data)
	return err
}

// receive reads a message.
func receive(from io.Reader, message any, limit int) error {
	data, err := receiveText(from, limit)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, message); err != nil {
		return fmt.Errorf("message is not JSON: %w", err)
	}
	return nil
}

// receiveAnswer reads what a worker says. It may have been taken over by its
// chart: it is trusted neither with the length nor with what decoding takes.
func receiveAnswer(from io.Reader, message any) error {
	data, err := receiveText(from, maxAnswer)
	if err != nil {
		return err
	}
	if err := jsonweight.Check(data, message, jsonweight.Times(maxWeight, data)); err != nil {
		return fmt.Errorf("answer of the renderer: %w", err)
	}
	if err := json.Unmarshal(data, message); err != nil {
		return fmt.Errorf("answer of the renderer is not JSON: %w", err)
	}
	return nil
}

func receiveText(from io.Reader, limit int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return nil, err
	}
	length := int64(binary.BigEndian.Uint32(head[:]))
	if length > int64(limit) {
		return nil, fmt.Errorf("message of %d bytes is larger than %d", length, limit)
	}
	var data bytes.Buffer // grown as it is read: a length is only a claim
	if n, err := io.CopyN(&data, from, length); err != nil {
		return nil, fmt.Errorf("message ends after %d of %d bytes: %w", n, length, err)
	}
	return data.Bytes(), nil
}

// check refuses a name that no chart can have, which Helm in a worker that was
// not taken over lets nobody give.
func (g greeting) check() error {
	for _, text := range []string{g.Chart.Name, g.Chart.Version} {
		if len(text) > charts.MaxNameBytes || printable.Line(text) != text || strings.ContainsAny(text, `/\`) {
			return fmt.Errorf("the renderer says that the chart is called %.40q", text)
		}
	}
	return nil
}

// check refuses an answer that is about another chart than was greeted with.
func (a answer) check(said greeting) error {
	if a.Discovery.Chart != said.Chart || len(a.Faults) > maxFaults {
		return errors.New("the renderer contradicts itself")
	}
	return nil
}
