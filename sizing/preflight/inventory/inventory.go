package inventory

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/islandbundle/island/manifests/fault"
)

// Limits of what is read.
const (
	maxFileBytes = 4 << 20
	maxFiles     = 500  // in all folders together
	maxHosts     = 1000 // ranges included
	maxGroups    = 1000
	maxVars      = 20_000
	maxDepth     = 20 // of YAML values and of groups in groups
)

// Inventory is what was read.
type Inventory struct {
	Hosts  []*Host           // in the order of the files
	groups map[string]*group // with all and ungrouped
	order  []string          // of group names
	vars   int
	files  int
}

// Host is one host with everything that holds for it.
type Host struct {
	Name   string
	Groups []string       // sorted, those it is in by way of others included; without all and ungrouped
	Vars   map[string]any // as Ansible would merge them
	Place  fault.Place    // where it was first named

	own    map[string]any
	direct map[string]bool
}

type group struct {
	name     string
	place    fault.Place
	hosts    []string
	children []string
	parents  []string
	vars     map[string]any // of the inventory files
	folder   map[string]any // of group_vars
	declared bool
	depth    int
}

// Encrypted stands for a value that Ansible Vault holds closed.
type Encrypted struct{}

// Read reads an inventory: a file, or a folder whose files are read in the
// order of their names, as Ansible does.
func Read(path string) (*Inventory, error) {
	inv := &Inventory{groups: map[string]*group{}}
	inv.group("all").declared = true
	inv.group("ungrouped").declared = true
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.Explain(err, fault.Usage, fault.Here, "", "give the site's Ansible inventory, a file or a folder")
	}
	folder := path
	if info.IsDir() {
		err = inv.readFolder(path)
	} else {
		folder = filepath.Dir(path)
		err = inv.readFile(path)
	}
	if err == nil {
		err = inv.link()
	}
	if err == nil {
		err = inv.readVars(folder)
	}
	if err != nil {
		return nil, err
	}
	if len(inv.Hosts) == 0 {
		return nil, fault.At(fault.Place{File: path}, "", "inventory has no hosts")
	}
	inv.merge()
	return inv, nil
}

// Groups returns the names of all groups but all and ungrouped, sorted.
func (inv *Inventory) Groups() []string {
	names := slices.DeleteFunc(slices.Clone(inv.order), func(name string) bool { return name == "all" || name == "ungrouped" })
	slices.Sort(names)
	return names
}

// Populated returns the names of those groups that have hosts, sorted.
func (inv *Inventory) Populated() []string {
	return slices.DeleteFunc(inv.Groups(), func(name string) bool { return len(inv.Members(name)) == 0 })
}

// Children returns the names of the groups that are directly within a group.
func (inv *Inventory) Children(name string) []string {
	if g := inv.groups[name]; g != nil {
		return slices.Clone(g.children)
	}
	return nil
}

// Members returns the names of a group's hosts, those of its children included,
// in the order of the inventory.
func (inv *Inventory) Members(name string) []string {
	var names []string
	for _, host := range inv.Hosts {
		if name == "all" || slices.Contains(host.Groups, name) {
			names = append(names, host.Name)
		}
	}
	return names
}

// notInventory are the names that Ansible passes over in a folder.
var notInventory = []string{".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".ini", ".cfg", ".retry"}

func (inv *Inventory) readFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	for _, entry := range entries {
		name := entry.Name()
		skip := slices.ContainsFunc(notInventory, func(end string) bool { return strings.HasSuffix(name, end) })
		if skip || strings.HasPrefix(name, ".") || name == "group_vars" || name == "host_vars" || name == "vars_plugins" {
			continue
		}
		path := filepath.Join(folder, name)
		if entry.IsDir() {
			err = inv.readFolder(path)
		} else {
			err = inv.readFile(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (inv *Inventory) readFile(path string) error {
	data, err := inv.load(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err == nil && info.Mode()&0o111 != 0 && strings.HasPrefix(string(data), "#!") {
		return fault.At(fault.Place{File: path},
			"run it and save what it prints with: ansible-inventory -i "+filepath.Base(path)+" --list --yaml",
			"inventory is a program; only inventories that are data are read")
	}
	// As Ansible, by the name's ending where it says, else by content.
	switch ext := filepath.Ext(path); ext {
	case ".yml", ".yaml", ".json":
		return inv.readYAML(path, data)
	case ".ini":
		return inv.readINI(path, data)
	}
	if looksLikeYAML(data) {
		return inv.readYAML(path, data)
	}
	return inv.readINI(path, data)
}

// looksLikeYAML tells by the first line that says something.
func looksLikeYAML(data []byte) bool {
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		key, rest, ok := strings.Cut(line, ":")
		return line == "---" || line[0] == '{' || ok && !strings.ContainsAny(key, " =[") && (rest == "" || rest[0] == ' ')
	}
	return false
}

// load reads one bounded file.
func (inv *Inventory) load(path string) ([]byte, error) {
	if inv.files++; inv.files > maxFiles {
		return nil, fault.At(fault.Place{File: path}, "", "inventory has more than %d files", maxFiles)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	var data []byte
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	}
	if err == nil && len(data) > maxFileBytes {
		err = fmt.Errorf("file is larger than %d bytes", maxFileBytes)
	}
	if err == nil && !utf8.Valid(data) {
		err = errors.New("file is not UTF-8")
	}
	return data, fault.Explain(err, fault.Usage, fault.Here, path, "")
}

func (inv *Inventory) group(name string) *group {
	g := inv.groups[name]
	if g == nil {
		g = &group{name: name, vars: map[string]any{}, folder: map[string]any{}}
		inv.groups[name] = g
		inv.order = append(inv.order, name)
	}
	return g
}

func (inv *Inventory) host(name string, place fault.Place) *Host {
	for _, host := range inv.Hosts {
		if host.Name == name {
			return host
		}
	}
	host := &Host{Name: name, Place: place, own: map[string]any{}, direct: map[string]bool{}}
	inv.Hosts = append(inv.Hosts, host)
	return host
}

// addHosts puts the hosts of a pattern into a group.
func (inv *Inventory) addHosts(in *group, pattern string, vars map[string]any, place fault.Place) error {
	names, port, err := expand(pattern)
	if err != nil {
		return fault.At(place, "", "%w", err)
	}
	if len(inv.Hosts)+len(names) > maxHosts {
		return fault.At(place, "", "inventory has more than %d hosts", maxHosts)
	}
	for _, name := range names {
		host := inv.host(name, place)
		if port != 0 {
			host.own["ansible_port"] = port
		}
		for key, value := range vars {
			host.own[key] = value
		}
		if inv.vars += len(vars); inv.vars > maxVars {
			return fault.At(place, "", "inventory has more than %d variables", maxVars)
		}
		if !host.direct[in.name] {
			host.direct[in.name] = true
			in.hosts = append(in.hosts, name)
		}
	}
	return nil
}

func (inv *Inventory) addChild(parent, child *group) {
	if !slices.Contains(parent.children, child.name) {
		parent.children = append(parent.children, child.name)
		child.parents = append(child.parents, parent.name)
	}
}

// link finds each group's depth below all, and refuses a group that is within
// itself.
func (inv *Inventory) link() error {
	if len(inv.groups) > maxGroups {
		return fault.New(fault.Usage, fault.Here, "", "", "inventory has more than %d groups", maxGroups)
	}
	all := inv.groups["all"]
	for _, name := range inv.order {
		if g := inv.groups[name]; name != "all" && len(g.parents) == 0 {
			inv.addChild(all, g)
		}
	}
	var walk func(g *group, depth int, above []string) error
	walk = func(g *group, depth int, above []string) error {
		if slices.Contains(above, g.name) || depth > maxDepth {
			return fault.At(g.place, "", "group %q is within itself, or more than %d deep", g.name, maxDepth)
		}
		if depth > 0 && depth <= g.depth {
			return nil // was walked from a place at least as deep
		}
		g.depth = depth
		for _, child := range g.children {
			if err := walk(inv.groups[child], depth+1, append(above, g.name)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(all, 0, nil); err != nil {
		return err
	}
	for _, name := range inv.order {
		if g := inv.groups[name]; name != "all" && g.depth == 0 { // only within a ring is a group never reached
			return fault.At(g.place, "", "group %q is within itself", name)
		}
	}
	return nil
}

// memberOf returns the groups of a host, from the shallowest to the deepest and
// then by priority and name: the order in which their variables are laid over
// each other.
func (inv *Inventory) memberOf(host *Host) []*group {
	seen := map[string]bool{}
	var result []*group
	var add func(name string)
	add = func(name string) {
		if seen[name] || name == "all" {
			return
		}
		seen[name] = true
		result = append(result, inv.groups[name])
		for _, parent := range inv.groups[name].parents {
			add(parent)
		}
	}
	for name := range host.direct {
		add(name)
	}
	slices.SortFunc(result, func(a, b *group) int {
		if a.depth != b.depth {
			return a.depth - b.depth
		}
		if p, q := a.priority(), b.priority(); p != q {
			return p - q
		}
		return strings.Compare(a.name, b.name)
	})
	return result
}

const priorityKey = "ansible_group_priority"

func (g *group) priority() int {
	if n, ok := g.vars[priorityKey].(int); ok {
		return n
	}
	return 1
}

// merge lays variables over each other by Ansible's precedence: the inventory's
// own of all and of the groups, then group_vars of all and of the groups, then
// the host's. (host_vars were laid over the host's own when they were read.)
func (inv *Inventory) merge() {
	all := inv.groups["all"]
	for _, host := range inv.Hosts {
		groups := inv.memberOf(host)
		layers := []map[string]any{all.vars}
		for _, g := range groups {
			layers = append(layers, g.vars)
		}
		layers = append(layers, all.folder)
		for _, g := range groups {
			layers = append(layers, g.folder)
		}
		host.Vars = map[string]any{}
		for i, layer := range append(layers, host.own) {
			for key, value := range layer {
				host.Vars[key] = value
			}
			if i > 0 && i <= len(groups) {
				delete(host.Vars, priorityKey) // is of the group, and no variable
			}
		}
		for _, g := range groups {
			if g.name != "ungrouped" {
				host.Groups = append(host.Groups, g.name)
			}
		}
		slices.Sort(host.Groups)
	}
}
