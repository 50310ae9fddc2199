package manifests

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Sequence is the place of a delivery in the order of all that go by one
// release's name: it grows with each, and nothing else tells which is newer, since
// a semantic version means the same whatever follows its plus sign (semver.org,
// section 10). 0 says that nobody gave one.
type Sequence uint64

// MaxSequence is the highest sequence: the last whole number that every reader of
// JSON keeps as it is (RFC 8259, section 6).
const MaxSequence Sequence = 1<<53 - 1

// UnmarshalJSON reads a number of at most [MaxSequence].
func (s *Sequence) UnmarshalJSON(data []byte) error {
	var number uint64
	if err := json.Unmarshal(data, &number); err != nil {
		return err
	}
	*s = Sequence(number)
	return s.check()
}

func (s Sequence) check() error {
	if s > MaxSequence {
		return fmt.Errorf("sequence %d is above %d, which is the highest there can be", uint64(s), uint64(MaxSequence))
	}
	return nil
}

// ParseSequence reads what a person typed: a number from 1 to [MaxSequence].
func ParseSequence(text string) (Sequence, error) {
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil || number < 1 || Sequence(number) > MaxSequence {
		return 0, fmt.Errorf("%q is no number from 1 to %d", text, uint64(MaxSequence))
	}
	return Sequence(number), nil
}
