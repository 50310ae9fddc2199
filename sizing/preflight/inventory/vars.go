package inventory

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests/fault"

	"go.yaml.in/yaml/v3"
)

// readVars reads group_vars and host_vars beside the inventory.
func (inv *Inventory) readVars(folder string) error {
	for _, name := range inv.order {
		if err := inv.readVarsOf(filepath.Join(folder, "group_vars"), name, inv.groups[name].folder); err != nil {
			return err
		}
	}
	for _, host := range inv.Hosts {
		if err := inv.readVarsOf(filepath.Join(folder, "host_vars"), host.Name, host.own); err != nil {
			return err
		}
	}
	return nil
}

// varsEndings are tried in this order; the first that is there is taken.
var varsEndings = []string{"", ".yml", ".yaml", ".json"}

func (inv *Inventory) readVarsOf(folder, name string, into map[string]any) error {
	if name != filepath.Base(name) { // a host's name is no path
		return nil
	}
	for _, ending := range varsEndings {
		path := filepath.Join(folder, name+ending)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fault.Explain(err, fault.Usage, fault.Here, "", "")
		}
		files := []string{path}
		if info.IsDir() {
			if files, err = varsFiles(path, 0); err != nil {
				return err
			}
		}
		for _, file := range files {
			if err := inv.readVarsFile(file, into); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

// varsFiles lists the files of a folder of variables, sorted by name, folders
// gone into where they stand.
func varsFiles(folder string, depth int) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil || depth > maxDepth {
		return nil, fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	var files []string
	for _, entry := range entries {
		name := entry.Name()
		path := filepath.Join(folder, name)
		switch {
		case strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~"):
		case entry.IsDir():
			below, err := varsFiles(path, depth+1)
			if err != nil {
				return nil, err
			}
			files = append(files, below...)
		case slices.Contains(varsEndings, filepath.Ext(name)):
			files = append(files, path)
		}
	}
	return files, nil
}

func (inv *Inventory) readVarsFile(path string, into map[string]any) error {
	data, err := inv.load(path)
	if err != nil || strings.HasPrefix(string(data), "$ANSIBLE_VAULT;") {
		return err // a file that is encrypted as a whole stays closed
	}
	root, err := parseYAML(path, data)
	if err != nil || root == nil {
		return err
	}
	if root.Kind != yaml.MappingNode {
		return fault.At(place(path, root), "", "variables are not a map")
	}
	vars := map[string]any{}
	if err := inv.yamlVars(path, root, vars); err != nil {
		return err
	}
	maps.Copy(into, vars)
	return nil
}
