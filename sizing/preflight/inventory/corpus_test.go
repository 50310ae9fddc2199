package inventory

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/corpus/*.json anew with ansible-inventory")

// listing is what `ansible-inventory --list` prints.
type listing map[string]struct {
	Hosts    []string                  `json:"hosts"`
	Children []string                  `json:"children"`
	HostVars map[string]map[string]any `json:"hostvars"`
}

// corpus returns the sources of each inventory: one that is called as inventories are,
// or those that a file lists, of which a list of hosts is none.
func corpus(t *testing.T) map[string][]string {
	t.Helper()
	folders, err := filepath.Glob("testdata/corpus/*[a-z]")
	if err != nil || len(folders) < 69 {
		t.Fatalf("corpus has %d inventories, wants 69: %v", len(folders), err)
	}
	result := map[string][]string{}
	for _, folder := range folders {
		for _, name := range []string{"hosts.ini", "hosts.yml", "hosts.yaml", "hosts.json", "hosts", "inventory"} {
			if path := filepath.Join(folder, name); exists(path) {
				result[filepath.Base(folder)] = []string{path}
			}
		}
		listed, err := os.ReadFile(filepath.Join(folder, "sources.txt"))
		if err != nil {
			continue
		}
		var sources []string
		for _, name := range strings.Split(strings.TrimSpace(string(listed)), "\n") {
			if !strings.Contains(name, ",") {
				name = filepath.Join(folder, name)
			}
			sources = append(sources, name)
		}
		result[filepath.Base(folder)] = sources
	}
	return result
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestCorpus compares what is read with what ansible-inventory printed of the
// same files, which testdata keeps.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for name, sources := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorded := filepath.Join("testdata/corpus", name+".json")
			if *update {
				if err := os.WriteFile(recorded, ansible(t, sources...), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			data, err := os.ReadFile(recorded)
			if err != nil {
				t.Fatal(err)
			}
			inv, err := Read(sources...)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, inv, data)
		})
	}
}

// TestCorpusIsAnsibles holds the recorded listings to the real program.
func TestCorpusIsAnsibles(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ansible-inventory"); err != nil {
		if os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
			t.Fatal("ansible-inventory is not in PATH")
		}
		t.Skip("ansible-inventory is not in PATH")
	}
	if testing.Short() {
		t.Skip("runs ansible-inventory once for each inventory")
	}
	for name, sources := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorded, err := os.ReadFile(filepath.Join("testdata/corpus", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if got := ansible(t, sources...); !reflect.DeepEqual(parse(t, got), parse(t, recorded)) {
				t.Errorf("ansible-inventory prints\n%s\nrecorded is\n%s", got, recorded)
			}
		})
	}
}

// TestForeign compares inventories from elsewhere with ansible-inventory, live:
// ISLAND_INVENTORIES lists their paths, with colons.
func TestForeign(t *testing.T) {
	t.Parallel()
	paths := filepath.SplitList(os.Getenv("ISLAND_INVENTORIES"))
	if len(paths) == 0 {
		t.Skip("set ISLAND_INVENTORIES")
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			inv, err := Read(path)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, inv, ansible(t, path))
		})
	}
}

func ansible(t *testing.T, sources ...string) []byte {
	t.Helper()
	cmd := exec.Command("ansible-inventory", "--list")
	for _, source := range sources {
		if !strings.Contains(source, ",") {
			source = absolute(t, source)
		}
		cmd.Args = append(cmd.Args, "-i", source)
	}
	cmd.Dir = t.TempDir() // no settings but the defaults
	cmd.Env = append(os.Environ(), "ANSIBLE_LOCALHOST_WARNING=False", "ANSIBLE_LOCAL_TEMP="+t.TempDir())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ansible-inventory: %v\n%s", err, stderr.Bytes())
	}
	return out
}

func parse(t *testing.T, data []byte) listing {
	t.Helper()
	var list listing
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func compare(t *testing.T, inv *Inventory, data []byte) {
	t.Helper()
	want := parse(t, data)
	vars := want["_meta"].HostVars
	var named []string
	for _, members := range want {
		for _, host := range members.Hosts {
			if !slices.Contains(named, host) {
				named = append(named, host)
			}
		}
	}
	if len(named) != len(inv.Hosts) {
		t.Errorf("read %d hosts, Ansible %d", len(inv.Hosts), len(named))
	}
	for _, host := range inv.Hosts {
		if got, want := normal(t, host.Vars), normal(t, vars[host.Name]); !reflect.DeepEqual(got, want) {
			t.Errorf("host %s has variables\n%v\nby Ansible\n%v", host.Name, got, want)
		}
	}
	for name, group := range inv.groups {
		if got, want := sorted(group.children), sorted(want[name].Children); name != "all" && !slices.Equal(got, want) {
			t.Errorf("group %s has children %q, by Ansible %q", name, got, want)
		}
		if got, want := sorted(group.hosts), sorted(want[name].Hosts); name != "all" && name != "ungrouped" && !slices.Equal(got, want) {
			t.Errorf("group %s has hosts %q, by Ansible %q", name, got, want)
		}
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// normal makes numbers of one type of both sides.
func normal(t *testing.T, vars map[string]any) map[string]any {
	t.Helper()
	data, err := json.Marshal(vars)
	if err != nil {
		t.Fatal(err)
	}
	result := map[string]any{}
	if err := json.Unmarshal(data, &result); err != nil {
		t.Fatal(err)
	}
	if result == nil {
		result = map[string]any{}
	}
	return result
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	absolute, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}
