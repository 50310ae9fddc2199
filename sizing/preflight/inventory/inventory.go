package inventory

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
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
	maxNotes     = 50
	maxDepth     = 20      // of YAML values and of groups in groups
	maxWork      = 500_000 // YAML values, with what aliases stand for
)

// Inventory is what was read.
type Inventory struct {
	Hosts []*Host // in the order of the files
	// Notes say what was passed over that a reader may take as read.
	Notes []string

	groups  map[string]*group // with all and ungrouped
	order   []string          // of group names
	folders []string          // of the sources, in their order
	beside  []varsOf          // by the folders
	vars    int
	files   int
	work    int
}

// Host is one host with everything that holds for it.
type Host struct {
	Name   string
	Groups []string       // sorted, those it is in by way of others included; without all and ungrouped
	Vars   map[string]any // as Ansible would merge them
	Place  fault.Place    // where it was first named

	inv    *Inventory
	own    layer
	merged layer
	direct map[string]bool
}

type group struct {
	name     string
	place    fault.Place
	hosts    []string
	children []string
	parents  []string
	vars     layer // of the inventory files
	priority int
	declared bool
	depth    int
}

// Encrypted stands for a value that Ansible Vault holds closed.
type Encrypted struct{}

// Read reads an inventory of one or several sources, which are laid over each other in
// their order as Ansible does. A source is a file, a folder whose files are read in
// the order of their names, or a list of hosts that a comma tells from a file.
func Read(sources ...string) (*Inventory, error) {
	inv := &Inventory{groups: map[string]*group{}}
	inv.group("all").declared = true
	inv.group("ungrouped").declared = true
	for _, source := range sources {
		before := inv.files
		if err := inv.readSource(source); err != nil {
			return nil, err
		}
		if inv.files == before && !IsHostList(source) {
			return nil, fault.At(fault.Place{File: source}, "give a folder with an inventory in it, or the file itself",
				"folder has no file that Ansible would read as an inventory")
		}
	}
	if err := inv.link(); err != nil {
		return nil, err
	}
	if err := inv.readVars(); err != nil {
		return nil, err
	}
	inv.notePassedOver()
	if len(inv.Hosts) == 0 {
		return nil, fault.At(fault.Place{File: strings.Join(sources, ", ")},
			"write its hosts below their groups, such as cassandra1 below [cassandra]", "inventory has no hosts")
	}
	inv.merge()
	return inv, nil
}

// IsHostList reports whether a source is a list of hosts and not a file.
func IsHostList(source string) bool {
	_, err := os.Stat(source)
	return strings.Contains(source, ",") && errors.Is(err, fs.ErrNotExist)
}

func (inv *Inventory) readSource(source string) error {
	if IsHostList(source) {
		return inv.readHostList(source)
	}
	info, err := os.Stat(source)
	if err != nil {
		return fault.Explain(err, fault.Usage, fault.Here, "", "give the site's Ansible inventory, a file or a folder")
	}
	if info.IsDir() {
		inv.folders = append(inv.folders, source)
		return inv.readFolder(source)
	}
	inv.folders = append(inv.folders, filepath.Dir(source))
	return inv.readFile(source)
}

// readHostList reads hosts that are in no group. No variables lie beside them.
func (inv *Inventory) readHostList(list string) error {
	for _, name := range strings.Split(list, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if strings.ContainsRune(name, '[') && !strings.HasPrefix(name, "[") {
			return fault.At(fault.Place{File: list}, "name each host", "%.80q: a list of hosts has no ranges", name)
		}
		if err := inv.addHosts(inv.group("ungrouped"), name, nil, fault.Place{File: list}); err != nil {
			return err
		}
	}
	return nil
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
		path := filepath.Join(folder, name)
		skip := slices.ContainsFunc(notInventory, func(end string) bool { return strings.HasSuffix(name, end) })
		if skip || strings.HasPrefix(name, ".") || name == "group_vars" || name == "host_vars" || name == "vars_plugins" {
			if filepath.Ext(name) == ".ini" && !strings.HasPrefix(name, ".") {
				inv.Notes = append(inv.Notes, path+" is passed over, as ansible-core up to 2.18 does within a folder (2.19 reads it); "+
					"name the file itself with -i, or take .ini off its name")
			}
			continue
		}
		info, err := os.Stat(path) // of what a link leads to
		if err != nil {
			return fault.Explain(err, fault.Usage, fault.Here, "", "")
		}
		if info.IsDir() {
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
			savedListing(path),
			"inventory is a program; only inventories that are data are read")
	}
	if isVault(data) {
		return fault.At(fault.Place{File: path}, savedListing(path), "inventory is encrypted with Ansible Vault, which stays closed here")
	}
	// As Ansible, by the name's ending where it says, else by content.
	switch ext := filepath.Ext(path); ext {
	case ".yml", ".yaml", ".json":
		return inv.readYAML(path, data)
	case ".toml":
		return fault.At(fault.Place{File: path}, savedListing(path), "inventories in TOML are not read")
	case ".ini":
		return inv.readINI(path, data)
	}
	if looksLikeYAML(data) {
		return inv.readYAML(path, data)
	}
	return inv.readINI(path, data)
}

// savedListing says how to make data of an inventory that is not.
func savedListing(path string) string {
	return "save what it stands for with: ansible-inventory -i " + filepath.Base(path) + " --list --yaml, and give that"
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
		g = &group{name: name, vars: layer{}, priority: 1}
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
	host := &Host{Name: name, Place: place, inv: inv, own: layer{}, direct: map[string]bool{}}
	inv.Hosts = append(inv.Hosts, host)
	return host
}

// addHosts puts the hosts of a pattern into a group.
func (inv *Inventory) addHosts(in *group, pattern string, vars layer, place fault.Place) error {
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
			host.own["ansible_port"] = variable{value: port, place: place}
		}
		maps.Copy(host.own, vars)
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
		if a.priority != b.priority {
			return a.priority - b.priority
		}
		return strings.Compare(a.name, b.name)
	})
	return result
}

// merge lays variables over each other by Ansible's precedence: the inventory's
// own of all and of the groups, then group_vars of all beside each source, then those of
// the groups, source by source, then the host's own and host_vars.
func (inv *Inventory) merge() {
	for _, host := range inv.Hosts {
		groups := inv.memberOf(host)
		host.merged = layer{}
		maps.Copy(host.merged, inv.groups["all"].vars)
		for _, g := range groups {
			maps.Copy(host.merged, g.vars)
		}
		for _, beside := range inv.beside {
			maps.Copy(host.merged, beside.groups["all"])
		}
		for _, beside := range inv.beside {
			for _, g := range groups {
				maps.Copy(host.merged, beside.groups[g.name])
			}
		}
		maps.Copy(host.merged, host.own)
		for _, beside := range inv.beside {
			maps.Copy(host.merged, beside.hosts[host.Name])
		}
		host.Vars = map[string]any{}
		for name, v := range host.merged {
			host.Vars[name] = v.value
		}
		for _, g := range groups {
			if g.name != "ungrouped" {
				host.Groups = append(host.Groups, g.name)
			}
		}
		slices.Sort(host.Groups)
	}
}
