package inventory

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests/fault"
)

// readVars reads group_vars and host_vars beside each source, one source after the
// other.
func (inv *Inventory) readVars() error {
	for i, folder := range inv.folders {
		if first := slices.Index(inv.folders, folder); first < i {
			inv.beside = append(inv.beside, inv.beside[first])
			continue
		}
		beside := varsOf{groups: map[string]layer{}, hosts: map[string]layer{}}
		for _, name := range inv.order {
			vars, err := inv.readVarsOf(filepath.Join(folder, "group_vars"), name)
			if err != nil {
				return err
			}
			beside.groups[name] = vars
		}
		for _, host := range inv.Hosts {
			vars, err := inv.readVarsOf(filepath.Join(folder, "host_vars"), host.Name)
			if err != nil {
				return err
			}
			beside.hosts[host.Name] = vars
		}
		inv.beside = append(inv.beside, beside)
	}
	return nil
}

// notePassedOver tells of variables in the folder one stands in. Ansible reads those of
// the folder of its playbooks, which it takes this one for where it is called without.
func (inv *Inventory) notePassedOver() {
	here, err := os.Stat(".")
	if err != nil {
		return
	}
	for _, folder := range inv.folders {
		if info, err := os.Stat(folder); err == nil && os.SameFile(here, info) {
			return
		}
	}
	for _, name := range []string{"group_vars", "host_vars"} {
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			inv.Notes = append(inv.Notes, name+" here lies beside no inventory and is passed over; Ansible reads it where it is called, or has its "+
				"playbooks, here: give its variables beside the inventory")
		}
	}
}

// varsOf are the variables beside one source.
type varsOf struct{ groups, hosts map[string]layer }

// varsEndings are tried in this order; the first that is there is taken.
var varsEndings = []string{"", ".yml", ".yaml", ".json"}

func (inv *Inventory) readVarsOf(folder, name string) (layer, error) {
	if !filepath.IsLocal(name) { // folders may be part of a name, but none outside of this one
		return nil, nil
	}
	for _, ending := range varsEndings {
		path := filepath.Join(folder, name+ending)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fault.Explain(err, fault.Usage, fault.Here, "", "")
		}
		files := []string{path}
		if info.IsDir() {
			if files, err = varsFiles(path, 0); err != nil {
				return nil, err
			}
		}
		vars := layer{}
		for _, file := range files {
			if err := inv.readVarsFile(file, vars); err != nil {
				return nil, err
			}
		}
		return vars, nil
	}
	return nil, nil
}

// varsFiles lists the files of a folder of variables, sorted by name, folders gone
// into where they stand. As Ansible does, it passes over a folder whose name has an
// extension.
func varsFiles(folder string, depth int) ([]string, error) {
	if depth > maxDepth {
		return nil, fault.New(fault.Usage, fault.Here, folder, "", "folders are more than %d deep", maxDepth)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	var files []string
	for _, entry := range entries {
		name := entry.Name()
		path := filepath.Join(folder, name)
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || !slices.Contains(varsEndings, filepath.Ext(name)) {
			continue
		}
		info, err := os.Stat(path) // of what a link leads to
		if err != nil {
			return nil, fault.Explain(err, fault.Usage, fault.Here, "", "")
		}
		switch {
		case !info.IsDir():
			files = append(files, path)
		case filepath.Ext(name) == "":
			below, err := varsFiles(path, depth+1)
			if err != nil {
				return nil, err
			}
			files = append(files, below...)
		}
	}
	return files, nil
}

// isVault tells a file that is encrypted as a whole.
func isVault(data []byte) bool { return bytes.HasPrefix(data, []byte("$ANSIBLE_VAULT;")) }

func (inv *Inventory) readVarsFile(path string, into layer) error {
	data, err := inv.load(path)
	if err != nil {
		return err
	}
	if isVault(data) {
		inv.Notes = append(inv.Notes, path+" is encrypted and was not read; what it says of how hosts are reached is not known")
		return nil
	}
	root, err := parseYAML(path, data)
	if err != nil || root == nil {
		return err
	}
	y := &yamlReader{inv: inv, path: path}
	return y.vars(root, into.set)
}
