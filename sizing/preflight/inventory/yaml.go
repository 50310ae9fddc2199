package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/internal/yamlmarks"
	"github.com/islandbundle/island/manifests/fault"
)

// readYAML reads the YAML form: groups with hosts, children and vars.
func (inv *Inventory) readYAML(path string, data []byte) error {
	root, err := parseYAML(path, data)
	if err != nil || root == nil {
		return err
	}
	if root.Kind != yaml.MappingNode {
		return fault.At(place(path, root), "the top of a YAML inventory names groups, such as all:", "inventory is not a map of groups")
	}
	return eachPair(path, root, func(key string, at, value *yaml.Node) error {
		_, err := inv.yamlGroup(path, key, at, value, 0)
		return err
	})
}

func (inv *Inventory) yamlGroup(path, name string, at, node *yaml.Node, depth int) (*group, error) {
	if depth > maxDepth {
		return nil, fault.At(place(path, at), "", "groups are more than %d deep", maxDepth)
	}
	g := inv.group(name)
	g.declared = true
	if g.place.File == "" {
		g.place = place(path, at)
	}
	if isNull(node) {
		return g, nil
	}
	if node.Kind != yaml.MappingNode {
		return nil, fault.At(place(path, node), "", "group %q is not a map with hosts, children or vars", name)
	}
	err := eachPair(path, node, func(key string, keyNode, value *yaml.Node) error {
		switch {
		case key != "hosts" && key != "children" && key != "vars":
			return fault.At(place(path, keyNode), "a group has hosts, children and vars", "group %q has an unknown part %q", name, key)
		case isNull(value):
			return nil
		case value.Kind == yaml.ScalarNode && key != "vars":
			// One name, without a colon behind it, is accepted by Ansible.
			value = &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{value, {Kind: yaml.ScalarNode, Tag: "!!null"}}}
		case value.Kind != yaml.MappingNode:
			return fault.At(place(path, value), "end each name with a colon, and no hyphen before it", "%s of group %q are not a map", key, name)
		}
		switch key {
		case "vars":
			return inv.yamlVars(path, value, g.vars)
		case "children":
			return eachPair(path, value, func(child string, at, value *yaml.Node) error {
				below, err := inv.yamlGroup(path, child, at, value, depth+1)
				if err == nil {
					inv.addChild(g, below)
				}
				return err
			})
		default:
			return eachPair(path, value, func(pattern string, at, value *yaml.Node) error {
				vars := map[string]any{}
				if !isNull(value) {
					if value.Kind != yaml.MappingNode {
						return fault.At(place(path, value), "", "variables of host %q are not a map", pattern)
					}
					if err := inv.yamlVars(path, value, vars); err != nil {
						return err
					}
				}
				return inv.addHosts(g, pattern, vars, place(path, at))
			})
		}
	})
	return g, err
}

func (inv *Inventory) yamlVars(path string, node *yaml.Node, into map[string]any) error {
	values, err := yamlValue(path, node, 0)
	if err != nil {
		return err
	}
	dict, ok := values.(map[string]any)
	if !ok {
		return fault.At(place(path, node), "", "variables are not a map")
	}
	if inv.vars += len(dict); inv.vars > maxVars {
		return fault.At(place(path, node), "", "inventory has more than %d variables", maxVars)
	}
	maps.Copy(into, dict)
	return nil
}

// parseYAML returns the root of the one document, or nil for an empty one.
func parseYAML(path string, data []byte) (*yaml.Node, error) {
	if err := yamlmarks.Check(data, yamlmarks.Most); err != nil {
		return nil, fault.At(fault.Place{File: path}, "", "%w", err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.At(fault.Place{File: path}, "", "not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fault.At(fault.Place{File: path}, "", "more than one document, or something after the first")
	}
	root := document.Content[0]
	if isNull(root) {
		return nil, nil
	}
	return root, nil
}

func place(path string, node *yaml.Node) fault.Place {
	return fault.Place{File: path, Line: node.Line, Column: node.Column}
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func eachPair(path string, node *yaml.Node, do func(key string, at, value *yaml.Node) error) error {
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			return fault.At(place(path, key), "", "a key is not a plain word")
		}
		if err := do(key.Value, key, value); err != nil {
			return err
		}
	}
	return nil
}

// yamlValue returns a value as Ansible's reader of YAML 1.1 has it. Aliases are
// refused: they can make little text stand for endless values.
func yamlValue(path string, node *yaml.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fault.At(place(path, node), "", "values are more than %d deep", maxDepth)
	}
	switch node.Kind {
	case yaml.ScalarNode:
		return yamlScalar(path, node)
	case yaml.SequenceNode:
		list := []any{}
		for _, member := range node.Content {
			value, err := yamlValue(path, member, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case yaml.MappingNode:
		dict := map[string]any{}
		err := eachPair(path, node, func(key string, _, member *yaml.Node) error {
			value, err := yamlValue(path, member, depth+1)
			dict[key] = value
			return err
		})
		return dict, err
	}
	return nil, fault.At(place(path, node), "write the value out", "aliases are not read")
}

var (
	octal11 = regexp.MustCompile(`^[-+]?0[0-7_]+$`)
	float11 = regexp.MustCompile(`^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)$`)
)

func yamlScalar(path string, node *yaml.Node) (any, error) {
	plain := node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) == 0
	switch {
	case node.Tag == "!vault" || node.Tag == "!vault-encrypted":
		return Encrypted{}, nil
	case !plain || node.Tag == "!unsafe":
		return node.Value, nil
	}
	switch node.Value { // YAML 1.1's words for truth, beyond those of 1.2
	case "yes", "Yes", "YES", "on", "On", "ON":
		return true, nil
	case "no", "No", "NO", "off", "Off", "OFF":
		return false, nil
	}
	switch node.Tag {
	case "!!null":
		return nil, nil
	case "!!bool":
		return strings.EqualFold(node.Value, "true"), nil
	case "!!int":
		text := strings.ReplaceAll(node.Value, "_", "")
		if strings.HasPrefix(text, "0o") {
			return node.Value, nil // octal of YAML 1.2 is text in 1.1
		}
		if octal11.MatchString(node.Value) {
			n, err := strconv.ParseInt(text, 8, 64)
			return int(n), err
		}
		n, err := strconv.ParseInt(text, 0, 64)
		if err != nil {
			return node.Value, nil //nolint:nilerr // too large for a number: kept as text
		}
		return int(n), nil
	case "!!float":
		if !float11.MatchString(node.Value) {
			return node.Value, nil
		}
		f, err := strconv.ParseFloat(strings.ReplaceAll(node.Value, "_", ""), 64)
		if err != nil {
			return nil, fault.At(place(path, node), "", "%w", fmt.Errorf("%.40q is not a number", node.Value))
		}
		return f, nil
	}
	return node.Value, nil
}
