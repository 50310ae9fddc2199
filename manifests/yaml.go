package manifests

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/internal/printable"
)

// EncodeYAML returns a YAML document in which all that a terminal would not show as
// text stands as an escape, with the same value (YAML 1.2.2, section 5.7). A level is
// indented by so many spaces.
func EncodeYAML(v any, indent int) ([]byte, error) {
	var root yaml.Node
	if err := root.Encode(v); err != nil {
		return nil, err
	}
	quoteHidden(&root)
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(indent)
	if err := encoder.Encode(&root); err != nil {
		return nil, err
	}
	return []byte(escapeHidden(text.String())), nil
}

// quoteHidden puts texts into quotes that have something to escape: it can be escaped
// nowhere else.
func quoteHidden(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && printable.Text(node.Value) != node.Value {
		node.Style = yaml.DoubleQuotedStyle
	}
	for _, below := range node.Content {
		quoteHidden(below)
	}
}

func escapeHidden(text string) string {
	var b strings.Builder
	for _, r := range text {
		if character := string(r); printable.Text(character) == character {
			b.WriteString(character)
		} else {
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}
