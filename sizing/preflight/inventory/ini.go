package inventory

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/islandbundle/island/manifests/fault"
)

var (
	sectionLine = regexp.MustCompile(`^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$`)
	childLine   = regexp.MustCompile(`^([^:\]\s]+)\s*(?:#.*)?$`)
)

// readINI reads Ansible's INI form, which is no other program's: values of
// hosts are split as a shell would, those of groups are whole lines, and both
// are Python literals where they can be.
func (inv *Inventory) readINI(path string, data []byte) error {
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		return fault.At(fault.Place{File: path, Line: 1}, "save it as UTF-8 without one; Ansible does not read it either",
			"file begins with a byte order mark")
	}
	current, kind := inv.group("ungrouped"), "hosts"
	wanted := map[string]fault.Place{} // groups that only a section of variables or of children names
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		place := fault.Place{File: path, Line: number}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if match := sectionLine.FindStringSubmatch(line); match != nil {
			current, kind = inv.group(match[1]), match[2]
			if current.place.File == "" {
				current.place = place
			}
			switch kind {
			case "", "hosts":
				kind, current.declared = "hosts", true
				delete(wanted, current.name)
			case "children":
				current.declared = true
				delete(wanted, current.name)
			case "vars":
				if !current.declared {
					wanted[current.name] = place
				}
			default:
				return fault.At(place, "a section is [group], [group:children] or [group:vars]", "unknown kind of section %q", kind)
			}
			continue
		}
		if line[0] == '[' && strings.HasSuffix(line, "]") { // Ansible takes none of these for hosts
			return fault.At(place, "a section is [group], [group:children] or [group:vars], without blanks",
				"section is not understood: %.80q", line)
		}
		if err := inv.iniLine(current, kind, line, place, wanted); err != nil {
			return err
		}
	}
	for name, place := range wanted {
		if !inv.groups[name].declared {
			return fault.At(place, "add a section ["+name+"]", "group %q is used but never defined", name)
		}
	}
	return nil
}

func (inv *Inventory) iniLine(current *group, kind, line string, place fault.Place, wanted map[string]fault.Place) error {
	switch kind {
	case "vars":
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return fault.At(place, "", "wants key=value, got %.80q", line)
		}
		if inv.vars++; inv.vars > maxVars {
			return fault.At(place, "", "inventory has more than %d variables", maxVars)
		}
		return current.set(strings.TrimSpace(key), variable{value: literal(strings.TrimSpace(value)), place: place})
	case "children":
		match := childLine.FindStringSubmatch(line)
		if match == nil {
			return fault.At(place, "", "wants the name of a group, got %.80q", line)
		}
		child := inv.group(match[1])
		if !child.declared {
			wanted[child.name] = place
		}
		inv.addChild(current, child)
	default:
		words, err := split(line, true)
		if err != nil {
			return fault.At(place, "", "%w", err)
		}
		if len(words) == 0 {
			return nil
		}
		vars := layer{}
		for _, word := range words[1:] {
			key, value, ok := strings.Cut(word, "=")
			if !ok {
				return fault.At(place, "variables of a host are key=value, without blanks around =, and values with blanks in quotes",
					"wants key=value, got %.80q", word)
			}
			vars[key] = variable{value: literal(value), place: place}
		}
		return inv.addHosts(current, words[0], vars, place)
	}
	return nil
}

// split divides a line as Python's shlex does: quotes, escapes, and with comments a
// # that begins one wherever it is not quoted.
func split(line string, comments bool) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	quote := rune(0)
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case quote == 0 && r == '#' && comments:
			i = len(runes)
		case quote == 0 && strings.ContainsRune(" \t\r\n", r):
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inWord = r, true
		case r == '\\' && quote != '\'':
			if i++; i == len(runes) {
				return nil, fmt.Errorf("line ends in a backslash")
			}
			// Within double quotes a backslash escapes only itself and the quote.
			if quote == '"' && runes[i] != '"' && runes[i] != '\\' {
				word.WriteRune('\\')
			}
			word.WriteRune(runes[i])
			inWord = true
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quotation mark %c is never closed", quote)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
