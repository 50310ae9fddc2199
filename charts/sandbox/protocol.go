package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests/fault"
)

// maxMessage bounds one message in bytes; the finds of the largest chart known
// take less than one hundredth of it.
const maxMessage = 256 << 20

// request asks a worker to look at one chart.
type request struct {
	Archive []byte
	Options charts.DiscoverOptions
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
	"time": charts.ErrRenderTime, "latest": charts.ErrLatest, "do-not-use": charts.ErrDoNotUse,
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

// send writes a message: its length in 4 bytes, big-endian, and JSON.
func send(to io.Writer, message any) error {
	data, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(data) > maxMessage {
		return fmt.Errorf("message of %d bytes is larger than %d", len(data), maxMessage)
	}
	if _, err := to.Write(binary.BigEndian.AppendUint32(nil, uint32(len(data)))); err != nil {
		return err
	}
	_, err = to.Write(data)
	return err
}

// receive reads a message. A worker may have been taken over by its chart: it
// is not trusted with the length.
func receive(from io.Reader, message any) error {
	var head [4]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length > maxMessage {
		return fmt.Errorf("message of %d bytes is larger than %d", length, maxMessage)
	}
	body := io.LimitReader(from, int64(length))
	if err := json.NewDecoder(body).Decode(message); err != nil {
		return fmt.Errorf("message is not JSON: %w", err)
	}
	_, err := io.Copy(io.Discard, body)
	return err
}
