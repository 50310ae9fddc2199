package inventory

import (
	"math"
	"strconv"
	"strings"

	"github.com/islandbundle/island/manifests/fault"
)

// variable is a value and where it stands.
type variable struct {
	value    any
	place    fault.Place
	verbatim bool // !unsafe: never a template
}

// layer holds variables of one place among Ansible's precedence.
type layer map[string]variable

func (l layer) set(name string, v variable) error {
	l[name] = v
	return nil
}

const priorityKey = "ansible_group_priority"

// set takes a variable of a group out of an inventory file. Its priority is no
// variable, but decides whose variables count; like Ansible's int() it may be quoted.
func (g *group) set(name string, v variable) error {
	if name != priorityKey {
		g.vars[name] = v
		return nil
	}
	if v.value == nil {
		return nil
	}
	priority, ok := wholeNumber(v.value)
	if !ok {
		at := v.place
		at.Field = priorityKey + " of " + g.name
		return fault.At(at, "give a number", "%.80v is not a priority", v.value)
	}
	g.priority = priority
	return nil
}

// wholeNumber reads a number that decides: of an integer, of a text that is one, or of
// a fraction, of which Python's int() leaves the whole part.
func wholeNumber(value any) (int, bool) {
	switch v := value.(type) {
	case int:
		return v, true
	case float64:
		return int(v), math.Abs(v) < 1<<31
	case string:
		n, err := strconv.Atoi(strings.TrimSpace(v))
		return n, err == nil
	}
	return 0, false
}
