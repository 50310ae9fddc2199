package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
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
	y := &yamlReader{inv: inv, path: path}
	if root.Kind != yaml.MappingNode {
		return fault.At(y.place(root), "the top of a YAML inventory names groups, such as all:", "inventory is not a map of groups")
	}
	pairs, err := y.pairs(root, 0)
	if err != nil {
		return err
	}
	if plugin := slices.IndexFunc(pairs, func(p pair) bool { return p.key == "plugin" && p.value.Kind == yaml.ScalarNode }); plugin >= 0 {
		return fault.At(y.place(pairs[plugin].at), savedListing(path), "inventory is made by a plugin; only inventories that are data are read")
	}
	for _, p := range pairs {
		if _, err := y.group(p, 0); err != nil {
			return err
		}
	}
	return nil
}

// yamlReader reads one file.
type yamlReader struct {
	inv  *Inventory
	path string
}

// pair is a key of a map, and its value with aliases followed.
type pair struct {
	key       string
	at, value *yaml.Node
}

func (y *yamlReader) place(node *yaml.Node) fault.Place { return place(y.path, node) }

// group reads a group and those within it.
func (y *yamlReader) group(of pair, depth int) (*group, error) {
	name, node := of.key, of.value
	if depth > maxDepth {
		return nil, fault.At(y.place(of.at), "", "groups are more than %d deep", maxDepth)
	}
	if err := y.isName(of); err != nil {
		return nil, err
	}
	g := y.inv.group(name)
	g.declared = true
	if g.place.File == "" {
		g.place = y.place(of.at)
	}
	if isNull(node) {
		return g, nil
	}
	if node.Kind != yaml.MappingNode {
		return nil, fault.At(y.place(node), "", "group %q is not a map with hosts, children or vars", name)
	}
	parts, err := y.pairs(node, depth)
	if err != nil {
		return nil, err
	}
	isPart := func(p pair) bool { return p.key == "hosts" || p.key == "children" || p.key == "vars" }
	if node.Anchor != "" && !slices.ContainsFunc(parts, isPart) {
		return g, nil // it is there for others to be made of
	}
	for _, part := range parts {
		if !isPart(part) {
			hint := "a group has hosts, children and vars"
			if name == "_meta" {
				hint = "ansible-inventory --list --yaml prints what can be read again"
			}
			return nil, fault.At(y.place(part.at), hint, "group %q has an unknown part %q", name, part.key)
		}
		if err := y.part(g, part, depth); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// part reads the hosts, children or vars of a group.
func (y *yamlReader) part(g *group, part pair, depth int) error {
	switch value := part.value; {
	case isNull(value):
		return nil
	case value.Kind == yaml.ScalarNode && part.key != "vars":
		// One name, without a colon behind it, is accepted by Ansible.
		part.value = &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{value, {Kind: yaml.ScalarNode, Tag: "!!null"}}}
	case value.Kind != yaml.MappingNode:
		return fault.At(y.place(value), "end each name with a colon, and no hyphen before it", "%s of group %q are not a map", part.key, g.name)
	}
	members, err := y.pairs(part.value, depth)
	if err != nil {
		return err
	}
	if part.key == "vars" {
		return y.each(members, g.set)
	}
	for _, member := range members {
		if part.key == "hosts" {
			err = y.hosts(g, member)
		} else {
			err = y.child(g, member, depth)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (y *yamlReader) child(g *group, member pair, depth int) error {
	below, err := y.group(member, depth+1)
	if err == nil {
		y.inv.addChild(g, below)
	}
	return err
}

func (y *yamlReader) hosts(g *group, member pair) error {
	if err := y.isName(member); err != nil {
		return err
	}
	vars := layer{}
	if !isNull(member.value) {
		if err := y.vars(member.value, vars.set); err != nil {
			return err
		}
	}
	return y.inv.addHosts(g, member.key, vars, y.place(member.at))
}

// isName refuses what YAML takes for a number or a truth value where a name belongs.
func (y *yamlReader) isName(p pair) error {
	value, err := yamlScalar(y.path, follow(p.at))
	if _, isText := value.(string); !isText || err != nil {
		return fault.At(y.place(p.at), "put it in quotes",
			"%.40s is not read as a name, but as a number or a word of YAML; so does Ansible", p.key)
	}
	return nil
}

// vars reads a map of variables.
func (y *yamlReader) vars(node *yaml.Node, set func(string, variable) error) error {
	if node.Kind != yaml.MappingNode {
		return fault.At(y.place(node), "", "variables are not a map")
	}
	pairs, err := y.pairs(node, 0)
	if err != nil {
		return err
	}
	return y.each(pairs, set)
}

func (y *yamlReader) each(pairs []pair, set func(string, variable) error) error {
	for _, p := range pairs {
		value, err := y.value(p.value, 0)
		if err != nil {
			return err
		}
		if y.inv.vars++; y.inv.vars > maxVars {
			return fault.At(y.place(p.at), "", "inventory has more than %d variables", maxVars)
		}
		if err := set(p.key, variable{value: value, place: y.place(p.at), verbatim: p.value.Tag == "!unsafe"}); err != nil {
			return err
		}
	}
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

// work counts what is read of values: by aliases little text can stand for very many.
func (y *yamlReader) work(node *yaml.Node) error {
	if y.inv.work++; y.inv.work > maxWork {
		return fault.At(y.place(node), "write out what the anchors stand for", "aliases make more than %d values of this inventory", maxWork)
	}
	return nil
}

// follow returns what an alias stands for.
func follow(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// pairs returns the pairs of a map with those of its merge keys among them, as YAML
// 1.1 has it (yaml.org/type/merge.html): each key once, where it first stood, the map's
// own before merged ones, of own ones the last, of merged maps in a list the first.
func (y *yamlReader) pairs(node *yaml.Node, depth int) ([]pair, error) {
	if depth > maxDepth {
		return nil, fault.At(y.place(node), "", "values are more than %d deep", maxDepth)
	}
	var merged, own []pair
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := follow(node.Content[i]), follow(node.Content[i+1])
		if err := y.work(node.Content[i]); err != nil {
			return nil, err
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			return nil, fault.At(y.place(node.Content[i]), "", "a key is not a plain word")
		case key.Tag == "!!merge":
			more, err := y.merge(value, node.Content[i], depth)
			if err != nil {
				return nil, err
			}
			merged = append(merged, more...)
		default:
			own = append(own, pair{key.Value, node.Content[i], value})
		}
	}
	y.twice(own)
	var result []pair
	index := map[string]int{}
	for _, p := range slices.Concat(merged, own) {
		if at, ok := index[p.key]; ok {
			result[at] = p
			continue
		}
		index[p.key] = len(result)
		result = append(result, p)
	}
	return result, nil
}

// twice tells of keys that stand twice in one map: what the first has is dropped.
func (y *yamlReader) twice(own []pair) {
	first := map[string]*yaml.Node{}
	for _, p := range own {
		if before := first[p.key]; before != nil {
			note := fmt.Sprintf("%s: %.80q is there twice, and Ansible takes the last; what line %d has of it is dropped",
				y.place(p.at), p.key, before.Line)
			if !slices.Contains(y.inv.Notes, note) && len(y.inv.Notes) < maxNotes {
				y.inv.Notes = append(y.inv.Notes, note)
			}
		}
		first[p.key] = p.at
	}
}

// merge returns the pairs of a merge key's value, those that count last.
func (y *yamlReader) merge(value, at *yaml.Node, depth int) ([]pair, error) {
	maps := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		maps = value.Content
	}
	var result []pair
	for _, member := range slices.Backward(maps) {
		member = follow(member)
		if member.Kind != yaml.MappingNode {
			return nil, fault.At(y.place(at), "a merge key has a map, or a list of maps", "what is to be merged is not a map")
		}
		pairs, err := y.pairs(member, depth+1)
		if err != nil {
			return nil, err
		}
		result = append(result, pairs...)
	}
	return result, nil
}

// value returns a value as Ansible's reader of YAML 1.1 has it.
func (y *yamlReader) value(node *yaml.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fault.At(y.place(node), "", "values are more than %d deep", maxDepth)
	}
	if err := y.work(node); err != nil {
		return nil, err
	}
	switch node = follow(node); node.Kind {
	case yaml.ScalarNode:
		return yamlScalar(y.path, node)
	case yaml.SequenceNode:
		list := []any{}
		for _, member := range node.Content {
			value, err := y.value(member, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	}
	dict := map[string]any{}
	pairs, err := y.pairs(node, depth)
	for _, p := range pairs {
		if dict[p.key], err = y.value(p.value, depth+1); err != nil {
			return nil, err
		}
	}
	return dict, err
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
