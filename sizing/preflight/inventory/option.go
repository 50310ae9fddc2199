package inventory

import (
	"slices"
	"strconv"
	"strings"
)

// option is a variable that decides, without templates.
type option struct {
	name  string
	value any
}

// option returns the variable that counts of several names for one thing: of those
// that are set the last one, as Ansible's connection plugins have it. Its value is nil
// where none is set. A template that is left is an error: what would be passed on is
// not what is meant.
func (h *Host) option(names ...string) (option, error) {
	for _, name := range slices.Backward(names) {
		v, ok := h.merged[name]
		if !ok || v.value == nil {
			continue
		}
		if v.value == (Encrypted{}) {
			return option{}, h.Wrong(name, "write it in the open, or leave it to a configuration file of ssh (--ssh-config)",
				"value is encrypted with Ansible Vault, which stays closed here")
		}
		value, err := h.resolve(v)
		if err != nil {
			return option{}, h.Wrong(name, templateHint(name), "template %.80q is not known: %w", v.value, err)
		}
		return option{name, value}, nil
	}
	return option{}, nil
}

// templateHint says what to write in place of a template that is not known. Kubespray
// takes a fact for ip where none is given, so that one may as well be left out.
func templateHint(name string) string {
	if name == "ip" {
		return "write the address itself; or leave ip out where other hosts use the address that ssh goes to"
	}
	return "write out what the template stands for"
}

// text returns an option that is a text, or a number, which is as good; empty where
// none is set.
func (h *Host) text(names ...string) (string, error) {
	o, err := h.option(names...)
	if err != nil {
		return "", err
	}
	return h.textOf(o)
}

// setting returns a text that is an option of one of Ansible's plugins. Those take off
// one pair of quotes around the whole (ansible/config/manager.py, ensure_type).
func (h *Host) setting(names ...string) (string, error) {
	text, err := h.text(names...)
	return unquoted(text), err
}

func unquoted(text string) string {
	last := len(text) - 1
	if last < 1 || text[0] != text[last] || text[0] != '\'' && text[0] != '"' || text[last-1] == '\\' {
		return text
	}
	return text[1:last]
}

// textOf refuses a list or a truth value, which is a slip: Ansible would pass on how
// Python writes it.
func (h *Host) textOf(o option) (string, error) {
	switch v := o.value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case int:
		return strconv.Itoa(v), nil
	case bool:
		return "", h.Wrong(o.name, "put it in quotes if it is meant as a text", "value is true or false, not a text")
	case float64:
		return "", h.Wrong(o.name, "put it in quotes if it is meant as a text", "value is a fraction, not a text")
	}
	return "", h.Wrong(o.name, "write one text", "value is a list or a map, not a text")
}

// number returns an option that is a number from least to most; 0 where none is set.
func (h *Host) number(what string, least, most int, names ...string) (int, error) {
	o, err := h.option(names...)
	if err != nil || o.value == nil {
		return 0, err
	}
	n, ok := wholeNumber(o.value)
	if fraction, isFraction := o.value.(float64); isFraction && fraction != float64(n) {
		ok = false
	}
	if !ok || n < least || n > most {
		return 0, h.Wrong(o.name, "", "%.80q is not %s from %d to %d", printed(o.value), what, least, most)
	}
	return n, nil
}

// flag returns an option that is true or false, and whether it is set.
func (h *Host) flag(names ...string) (is, isSet bool, err error) {
	o, err := h.option(names...)
	if err != nil || o.value == nil {
		return false, false, err
	}
	word := strings.ToLower(printed(o.value))
	if !truth(word) && !slices.Contains([]string{"n", "no", "off", "0", "false", "f", ""}, word) {
		return false, false, h.Wrong(o.name, "write true or false", "%.80q is neither true nor false", word)
	}
	return truth(word), true, nil
}

func printed(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return "a list or a map"
}
