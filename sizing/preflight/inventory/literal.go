package inventory

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// literal reads a value of the INI form: a Python literal where it is one, as
// ast.literal_eval reads it, else the text as it stands.
func literal(text string) any {
	p := &literalParser{rest: text}
	value, ok := p.value(0)
	p.space()
	if !ok || p.rest != "" && p.rest[0] != '#' {
		return text
	}
	return value
}

type literalParser struct{ rest string }

func (p *literalParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\n") }

func (p *literalParser) take(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *literalParser) value(depth int) (any, bool) {
	p.space()
	if p.rest == "" || depth > maxDepth {
		return nil, false
	}
	switch p.rest[0] {
	case '\'', '"':
		return p.strings()
	case '[':
		p.rest = p.rest[1:]
		return p.list("]", depth)
	case '(':
		p.rest = p.rest[1:]
		return p.tuple(depth)
	case '{':
		p.rest = p.rest[1:]
		return p.dict(depth)
	}
	return p.atom()
}

// atom is a name or a number.
func (p *literalParser) atom() (any, bool) {
	end := strings.IndexAny(p.rest, ",]}):# \t")
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	switch word {
	case "True":
		return true, true
	case "False":
		return false, true
	case "None":
		return nil, true
	}
	return number(word)
}

// number reads Python's numbers: 007 and 1__0 are none.
func number(word string) (any, bool) {
	digits := strings.TrimLeft(word, "+-")
	if digits == "" || len(word) > 64 || digits[0] != '.' && (digits[0] < '0' || digits[0] > '9') {
		return nil, false
	}
	if strings.HasPrefix(digits, "_") || strings.HasSuffix(digits, "_") || strings.Contains(digits, "__") {
		return nil, false
	}
	sign := ""
	if strings.Count(word[:len(word)-len(digits)], "-")%2 == 1 {
		sign = "-"
	}
	plain := strings.ReplaceAll(digits, "_", "")
	octal := len(plain) > 1 && plain[0] == '0' && strings.Trim(plain, "0123456789") == "" && strings.Trim(plain, "0") != ""
	if octal {
		return nil, false
	}
	if strings.Trim(plain, "0") == "" {
		plain = "0"
	}
	if n, ok := new(big.Int).SetString(sign+plain, 0); ok {
		if n.IsInt64() {
			return int(n.Int64()), true
		}
		return n.String(), true
	}
	if strings.ContainsAny(plain, "xXpPnN") {
		return nil, false
	}
	f, err := strconv.ParseFloat(sign+plain, 64)
	return f, err == nil
}

// strings reads a quoted text, and further ones that follow, which Python joins.
func (p *literalParser) strings() (any, bool) {
	var all strings.Builder
	for first := true; ; first = false {
		p.space()
		if p.rest == "" || p.rest[0] != '\'' && p.rest[0] != '"' {
			return all.String(), !first
		}
		if strings.HasPrefix(p.rest, `"""`) || strings.HasPrefix(p.rest, `'''`) {
			return nil, false
		}
		if !p.quoted(&all) {
			return nil, false
		}
	}
}

var escapes = map[byte]string{
	'n':  "\n",
	't':  "\t",
	'r':  "\r",
	'\\': `\`,
	'\'': "'",
	'"':  `"`,
	'a':  "\a",
	'b':  "\b",
	'f':  "\f",
	'v':  "\v",
	'0':  "\x00",
}

func (p *literalParser) quoted(into *strings.Builder) bool {
	quote := p.rest[0]
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == quote:
			p.rest = p.rest[i+1:]
			return true
		case c == '\\' && i+1 < len(p.rest):
			i++
			text, ok := escapes[p.rest[i]]
			switch {
			case ok:
				into.WriteString(text)
			case p.rest[i] == 'u' || p.rest[i] == 'x':
				length := map[byte]int{'u': 4, 'x': 2}[p.rest[i]]
				if i+length >= len(p.rest) {
					return false
				}
				code, err := strconv.ParseUint(p.rest[i+1:i+1+length], 16, 32)
				if err != nil || !utf8.ValidRune(rune(code)) {
					return false
				}
				into.WriteRune(rune(code))
				i += length
			default:
				into.WriteByte('\\')
				into.WriteByte(p.rest[i])
			}
		default:
			into.WriteByte(c)
		}
	}
	return false
}

func (p *literalParser) list(end string, depth int) (any, bool) {
	list := []any{}
	for {
		if p.take(end) {
			return list, true
		}
		value, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		list = append(list, value)
		if !p.take(",") {
			return list, p.take(end)
		}
	}
}

// tuple reads what is in brackets: a list where there is a comma, else the
// value itself.
func (p *literalParser) tuple(depth int) (any, bool) {
	if p.take(")") {
		return []any{}, true
	}
	value, ok := p.value(depth + 1)
	if !ok {
		return nil, false
	}
	if p.take(")") {
		return value, true
	}
	if !p.take(",") {
		return nil, false
	}
	rest, ok := p.list(")", depth)
	if !ok {
		return nil, false
	}
	return append([]any{value}, rest.([]any)...), true
}

func (p *literalParser) dict(depth int) (any, bool) {
	dict := map[string]any{}
	for {
		if p.take("}") {
			return dict, true
		}
		key, ok := p.value(depth + 1)
		text, isText := key.(string)
		if n, isInt := key.(int); isInt {
			text, isText = strconv.Itoa(n), true
		}
		if !ok || !isText || !p.take(":") {
			return nil, false
		}
		value, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		dict[text] = value
		if !p.take(",") {
			return dict, p.take("}")
		}
	}
}
