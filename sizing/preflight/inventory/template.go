package inventory

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/islandbundle/island/manifests/fault"
)

// Limits of resolving one value: templates can stand for each other.
const (
	maxTemplateSteps = 10_000
	maxTemplateBytes = 64 << 10
)

// templateMarks begin what Jinja computes: a value, a statement, a comment.
var templateMarks = []string{"{{", "{%", "{#"}

func isTemplate(text string) bool {
	return slices.ContainsFunc(templateMarks, func(mark string) bool { return strings.Contains(text, mark) })
}

// resolver computes the templates of one value as far as they are names of variables
// and parts of them, of this host or another one, texts, and some plain filters. All
// else is an error: nothing is guessed.
type resolver struct {
	host  *Host
	depth int
	steps *int
}

// undefined stands for what the inventory does not say.
type undefined struct{ name string }

// hostVars, and hostRef of one host, are what hostvars stands for.
type (
	hostVars struct{}
	hostRef  struct{ host *Host }
	groupSet struct{}
)

// resolve returns a value without templates.
func (h *Host) resolve(v variable) (any, error) {
	text, isText := v.value.(string)
	if !isText || v.verbatim || !isTemplate(text) {
		return v.value, nil
	}
	steps := 0
	return resolver{host: h, steps: &steps}.text(text)
}

// text computes a text with templates in it.
func (r resolver) text(text string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{{")
		if strings.Contains(before, "{%") || strings.Contains(before, "{#") {
			return "", fmt.Errorf("statements and comments of templates are not computed")
		}
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		p := &templateParser{resolver: r, rest: rest}
		value, err := p.expression()
		if err != nil {
			return "", err
		}
		if !p.take("}}") {
			return "", fmt.Errorf("{{%.60s is not computed", rest)
		}
		word, err := inTemplate(value)
		if err != nil {
			return "", err
		}
		if out.WriteString(word); out.Len() > maxTemplateBytes {
			return "", fmt.Errorf("it stands for more than %d bytes", maxTemplateBytes)
		}
		text = p.rest
	}
}

// inTemplate returns a value as Jinja prints it.
func inTemplate(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case int:
		return strconv.Itoa(v), nil
	case bool:
		if v {
			return "True", nil
		}
		return "False", nil
	case nil:
		return "", nil
	case undefined:
		if strings.HasPrefix(v.name, "ansible_") {
			return "", fmt.Errorf("%s is what Ansible finds out on the host, and not of the inventory", v.name)
		}
		return "", fmt.Errorf("the inventory does not say what %s is", v.name)
	case Encrypted:
		return "", fmt.Errorf("it stands for a value of Ansible Vault, which stays closed")
	}
	return "", fmt.Errorf("it stands for what is no text")
}

// templateParser reads one expression.
type templateParser struct {
	resolver
	rest string
}

func (p *templateParser) take(token string) bool {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

// expression reads a value and the filters after it.
func (p *templateParser) expression() (any, error) {
	if *p.steps++; *p.steps > maxTemplateSteps || p.depth > maxDepth {
		return nil, fmt.Errorf("templates stand for each other without end, or more than %d deep", maxDepth)
	}
	value, err := p.primary()
	for err == nil {
		switch {
		case p.take("."):
			value, err = p.member(value, p.name())
		case p.take("["):
			var key any
			if key, err = p.expression(); err == nil && !p.take("]") {
				err = fmt.Errorf("[ is never closed")
			}
			if err == nil {
				value, err = p.member(value, key)
			}
		case p.take("|"):
			value, err = p.filter(value, p.name())
		default:
			return value, nil
		}
	}
	return nil, err
}

// name reads an identifier; it is empty where there is none.
func (p *templateParser) name() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	end := strings.IndexFunc(p.rest, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if end < 0 {
		end = len(p.rest)
	}
	name := p.rest[:end]
	p.rest = p.rest[end:]
	return name
}

// primary reads a text, a number, or the name of a variable.
func (p *templateParser) primary() (any, error) {
	if p.take("'") {
		return p.quoted('\'')
	}
	if p.take(`"`) {
		return p.quoted('"')
	}
	name := p.name()
	if n, err := strconv.Atoi(name); err == nil {
		return n, nil
	}
	switch name {
	case "":
		return nil, fmt.Errorf("{{%.60s is not computed", p.rest)
	case "true", "True":
		return true, nil
	case "false", "False":
		return false, nil
	case "none", "None":
		return nil, nil
	case "not", "lookup", "query", "q", "omit":
		return nil, fmt.Errorf("%s is not computed", name)
	}
	return p.variable(p.host, name)
}

// quoted reads a text up to its end. One with escapes is not computed.
func (p *templateParser) quoted(quote byte) (any, error) {
	text, rest, ok := strings.Cut(p.rest, string(quote))
	if !ok || strings.Contains(text, `\`) {
		return nil, fmt.Errorf("a text in quotes is not computed")
	}
	p.rest = rest
	return text, nil
}

// variable returns what a name stands for at a host.
func (p *templateParser) variable(h *Host, name string) (any, error) {
	if value, ok := h.magic(name); ok {
		return value, nil
	}
	v, ok := h.merged[name]
	if !ok {
		return undefined{name}, nil
	}
	text, isText := v.value.(string)
	if !isText || v.verbatim || !isTemplate(text) {
		return v.value, nil
	}
	return resolver{host: h, depth: p.depth + 1, steps: p.steps}.text(text)
}

// magic returns the variables that Ansible itself sets, as far as they follow from
// the inventory.
func (h *Host) magic(name string) (any, bool) {
	switch name {
	case "inventory_hostname":
		return h.Name, true
	case "inventory_hostname_short":
		short, _, _ := strings.Cut(h.Name, ".")
		return short, true
	case "inventory_dir", "inventory_file":
		file, err := filepath.Abs(h.Place.File)
		if err != nil || IsHostList(h.Place.File) {
			return undefined{name}, true
		}
		if name == "inventory_dir" {
			file = filepath.Dir(file)
		}
		return file, true
	case "hostvars":
		return hostVars{}, true
	case "groups":
		return groupSet{}, true
	}
	return nil, false
}

// member returns a part of a value, by its name or its place.
func (p *templateParser) member(value, key any) (any, error) {
	name, isName := key.(string)
	switch v := value.(type) {
	case undefined:
		return v, nil
	case hostVars:
		for _, host := range p.host.inv.Hosts {
			if host.Name == name {
				return hostRef{host}, nil
			}
		}
		return undefined{"host " + printed(key)}, nil
	case hostRef:
		return p.variable(v.host, name)
	case groupSet:
		g := p.host.inv.groups[name]
		if g == nil {
			return undefined{"group " + printed(key)}, nil
		}
		if name == "all" || len(g.children) > 0 {
			return nil, fmt.Errorf("the order of the hosts of group %.60q, which has groups within it, is not computed", name)
		}
		list := []any{}
		for _, host := range g.hosts {
			list = append(list, host)
		}
		return list, nil
	case map[string]any:
		if part, ok := v[name]; ok && isName {
			return p.part(part)
		}
	case []any:
		if i, ok := key.(int); ok && i < len(v) {
			return p.part(v[i])
		}
	}
	return undefined{printed(key)}, nil
}

// part is a value within another one, whose templates are computed likewise.
func (p *templateParser) part(value any) (any, error) {
	text, isText := value.(string)
	if !isText || !isTemplate(text) {
		return value, nil
	}
	return resolver{host: p.host, depth: p.depth + 1, steps: p.steps}.text(text)
}

// filter applies one of the filters that are known.
func (p *templateParser) filter(value any, name string) (any, error) {
	var arguments []any
	for p.take("(") || len(arguments) > 0 && p.take(",") {
		argument, err := p.expression()
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, argument)
	}
	if len(arguments) > 0 && !p.take(")") {
		return nil, fmt.Errorf("the arguments of %.40s are not computed", name)
	}
	switch {
	case (name == "default" || name == "d") && len(arguments) == 1:
		if _, isMissing := value.(undefined); isMissing {
			return arguments[0], nil
		}
		return value, nil
	case (name == "default" || name == "d") && len(arguments) == 2 && arguments[1] == true:
		if _, isMissing := value.(undefined); isMissing || value == "" || value == nil || value == 0 || value == false {
			return arguments[0], nil
		}
		return value, nil
	case slices.Contains([]string{"string", "trim", "lower", "upper"}, name) && len(arguments) == 0:
		text, err := inTemplate(value)
		switch name {
		case "trim":
			text = strings.TrimSpace(text)
		case "lower":
			text = strings.ToLower(text)
		case "upper":
			text = strings.ToUpper(text)
		}
		return text, err
	}
	return nil, fmt.Errorf("the filter %.40s is not computed", name)
}

// Wrong says what is wrong with a variable of the host, at the place where it stands.
func (h *Host) Wrong(name, hint, format string, args ...any) error {
	at := h.Place
	if v, ok := h.merged[name]; ok {
		at = v.place
	}
	at.Field = name + " of " + h.Name
	return fault.At(at, hint, format, args...)
}
