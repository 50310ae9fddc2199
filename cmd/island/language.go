package main

import (
	"os"
	"strings"

	"github.com/islandbundle/island/internal/words"
)

// language returns the language of a tag that was given, else the locale's.
func language(tag string) (*words.Language, error) {
	if tag == "" {
		return words.All().FromLocale(os.Getenv), nil
	}
	l, err := words.All().Parse(tag)
	if err != nil {
		return nil, usage("say "+languages(), "--lang: %w", err)
	}
	return l, nil
}

// languages names those that there are, for a sentence: "en or de".
func languages() string {
	tags := words.All().Tags()
	last := len(tags) - 1
	return strings.TrimPrefix(strings.Join(tags[:last], ", ")+" or "+tags[last], " or ")
}
