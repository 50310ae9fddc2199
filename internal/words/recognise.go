package words

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
)

// A Recogniser finds the message that a sentence was made of: saved documents of
// versions that had sentences and no codes are then read in every language. It
// knows messages of one language, and takes a sentence for one of them only if the
// message says just that.
type Recogniser struct {
	language *Language
	whole    map[string]string // codes by sentences without gaps
	patterns []pattern         // the most telling first
	seen     map[string]message.Text
}

type pattern struct {
	code    string
	gaps    []piece
	matches *regexp.Regexp
	letters int // of what is no gap
}

// Recogniser returns one for the messages whose codes begin so.
func (l *Language) Recogniser(prefix string) *Recogniser {
	r := &Recogniser{language: l, whole: map[string]string{}, seen: map[string]message.Text{}}
	for _, code := range l.Codes() {
		if !strings.HasPrefix(code, prefix) {
			continue
		}
		for _, f := range l.messages[code].forms {
			r.learn(code, f)
		}
	}
	slices.SortStableFunc(r.patterns, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(b.letters, a.letters), cmp.Compare(a.code, b.code))
	})
	return r
}

func (r *Recogniser) learn(code string, f form) {
	p := pattern{code: code}
	var text, expression strings.Builder
	for _, part := range f {
		if part.gap == "" {
			text.WriteString(part.text)
			expression.WriteString(regexp.QuoteMeta(part.text))
			continue
		}
		if part.counts != nil { // the number itself is another gap's
			expression.WriteString("(?:.+?)")
			continue
		}
		p.gaps = append(p.gaps, part)
		expression.WriteString("(.+?)")
	}
	p.letters = text.Len()
	switch {
	case len(p.gaps) == 0:
		if _, known := r.whole[text.String()]; !known {
			r.whole[text.String()] = code
		}
	case strings.TrimSpace(text.String()) != "":
		p.matches = regexp.MustCompile("^(?s:" + expression.String() + ")$")
		r.patterns = append(r.patterns, p)
	}
}

// Text returns the message that a text without a code says in the language, or
// the text as it is.
func (r *Recogniser) Text(t message.Text) message.Text {
	if t.Code != "" || t.Words == "" || len(t.Given) > 0 {
		return t
	}
	found, known := r.seen[t.Words]
	if !known {
		found = r.find(t.Words)
		r.seen[t.Words] = found
	}
	return found
}

func (r *Recogniser) find(said string) message.Text {
	if code, ok := r.whole[said]; ok {
		return message.Of(code, nil)
	}
	for _, p := range r.patterns {
		captured := p.matches.FindStringSubmatch(said)
		if captured == nil {
			continue
		}
		args := message.Args{}
		for i, gap := range p.gaps {
			args[gap.gap] = r.argument(gap.format, captured[i+1])
		}
		if found := message.Of(p.code, args); found.Check() == nil && r.language.Text(found) == said {
			return found
		}
	}
	return message.Plain(said)
}

// argument returns what fills a gap: a number where the gap wants one, a message
// where it says one, else the text. A word alone may be a name.
func (r *Recogniser) argument(format, said string) any {
	if n, err := strconv.ParseFloat(strings.ReplaceAll(said, ",", ""), 64); format != "" && err == nil {
		return n
	}
	if !strings.Contains(said, " ") {
		return said
	}
	if inner := r.find(said); inner.Code != "" {
		return inner
	}
	return said
}
