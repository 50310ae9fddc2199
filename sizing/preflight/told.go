package preflight

import "github.com/islandbundle/island/internal/words/message"

// told is what facts say in plain English, for readers of other languages too.
func told(s string) message.Text {
	if s == "" {
		return message.Text{}
	}
	return message.Text{Words: s, Given: map[string]string{"de": Phrase(s).DE}}
}
