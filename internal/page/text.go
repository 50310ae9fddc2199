package page

// Text is a text in both languages that a report can be in.
type Text struct {
	EN string `yaml:"en" json:"en"`
	DE string `yaml:"de" json:"de"`
}

// Complete reports whether neither language is missing.
func (t Text) Complete() bool { return t.EN != "" && t.DE != "" }
