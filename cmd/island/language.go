package main

import (
	"errors"
	"os"
	"strings"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests/fault"
)

// language returns the language of a tag that was given, else the locale's.
func language(tag string) (*words.Language, error) {
	if tag == "" {
		return words.All().FromLocale(os.Getenv), nil
	}
	l, err := words.All().Parse(tag)
	return l, fault.Explain(err, fault.Usage, fault.Here, "--lang", "say "+languages())
}

// languages names those that there are, for a sentence: "en or de".
func languages() string {
	tags := words.All().Tags()
	last := len(tags) - 1
	return strings.TrimPrefix(strings.Join(tags[:last], ", ")+" or "+tags[last], " or ")
}

// inWords returns an error that has its words in a catalogue as one that says them.
// Errors are English, as all that the program says on stderr but for how a preflight ended.
func inWords(err error) error {
	var problem *message.Problem
	if !errors.As(err, &problem) {
		return err
	}
	return errors.New(words.English().Text(problem.Text))
}
