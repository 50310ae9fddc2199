//go:build linux

package probe

import (
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// modules says of each module whether the kernel has it, and what keeps modprobe
// from loading it.
func (s System) modules(release string, names []string) (states, barred map[string]facts.Value[string]) {
	states, barred = map[string]facts.Value[string]{}, map[string]facts.Value[string]{}
	folder := "/lib/modules/" + release
	builtin, _ := s.read(folder + "/modules.builtin")
	list, _ := s.read(folder + "/modules.dep")
	files := map[string][]string{} // of a module: its own, then those that it needs
	for line := range strings.Lines(list) {
		if file, needed, ok := strings.Cut(line, ":"); ok {
			files[moduleName(file)] = append([]string{file}, strings.Fields(needed)...)
		}
	}
	inKernel := map[string]bool{}
	for _, file := range strings.Fields(builtin) {
		inKernel[moduleName(file)] = true
	}
	state := func(name string) string {
		file := files[name]
		switch {
		case s.exists("/sys/module/" + name + "/initstate"), s.exists("/sys/module/" + name + "/refcnt"): // which what is built in has not
			return "loaded"
		case inKernel[name], s.exists("/sys/module/" + name), s.atWork(name):
			return "builtin"
		case len(file) > 0 && s.exists(path.Join(folder, file[0])):
			return "available"
		}
		return "missing"
	}
	rules, err := s.modprobeRules()
	for _, asked := range names {
		name := moduleName(asked)
		states[asked] = known(state(name), nil, message.Of("facts.method.modules", nil), "/sys/module, /lib/modules")
		rules := rules
		if states[asked].Value == "loaded" {
			rules.all = "" // it is only set once a start has loaded its modules
		}
		rule := rules.against(name)
		for _, file := range files[name] {
			if needed := moduleName(file); rule.text == "" && needed != name && state(needed) == "available" {
				rule = rules.against(needed)
			}
		}
		barred[asked] = known(facts.Cut(rule.text), err, message.Of("facts.method.barred", nil), rule.source)
	}
	return states, barred
}

// moduleName returns the name of a module by that of its file, compressed or not.
// Hyphens and underscores are one (modprobe(8)).
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// atWork tells modules that are part of the kernel by what they do: not all are
// listed below /sys/module, and the list of those built in may be missing.
func (s System) atWork(name string) bool {
	signs := map[string]string{
		"br_netfilter": "/proc/sys/net/bridge",
		"nf_conntrack": "/proc/sys/net/netfilter/nf_conntrack_max",
		"ip_vs":        "/proc/net/ip_vs",
	}
	if name == "overlay" {
		systems, _ := s.read("/proc/filesystems")
		return slices.Contains(strings.Fields(systems), name)
	}
	sign, ok := signs[name]
	return ok && s.exists(sign)
}

// modprobeFolders hold the settings of modprobe; a file in an earlier one stands for
// those of the same name in later ones (modprobe.d(5)).
var modprobeFolders = []string{"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"}

// modprobeRules are what keeps modules from being loaded.
type modprobeRules struct {
	all      string   // keeps any more from being loaded; empty: nothing
	refused  []string // by the kernel, as it was started
	settings []modprobeRule
}

// modprobeRule is a line of modprobe's settings: text is all of it.
type modprobeRule struct {
	verb, pattern, rest string
	text, source        string
}

// modprobeRules reads the settings. A module that is only blacklisted is loaded by
// who asks for it by its name, as an installation does.
func (s System) modprobeRules() (modprobeRules, error) {
	var rules modprobeRules
	if disabled, err := s.readWord("/proc/sys/kernel/modules_disabled"); err == nil && disabled == "1" {
		rules.all = "kernel.modules_disabled = 1"
	}
	arguments, err := s.read("/proc/cmdline")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return rules, err
	}
	for _, argument := range strings.Fields(arguments) {
		if list, ok := strings.CutPrefix(strings.ReplaceAll(argument, `"`, ""), "module_blacklist="); ok {
			rules.refused = append(rules.refused, strings.Split(strings.ReplaceAll(list, "-", "_"), ",")...)
		}
	}
	files, err := s.modprobeFiles()
	if err != nil {
		return rules, err
	}
	for _, file := range files {
		text, err := s.read(file)
		if err != nil {
			return rules, err
		}
		for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
			if f := strings.Fields(line); len(f) >= 3 && (f[0] == "install" || f[0] == "alias") {
				rules.settings = append(rules.settings, modprobeRule{
					f[0], strings.ReplaceAll(f[1], "-", "_"), strings.Join(f[2:], " "), strings.Join(f, " "), file,
				})
			}
		}
	}
	return rules, nil
}

// modprobeFiles lists the files of settings in their order. One in whose place
// /dev/null is has nothing in it, as a link that leads nowhere; folders are passed
// over, as modprobe does.
func (s System) modprobeFiles() ([]string, error) {
	found := map[string]string{}
	var order []string
	for _, folder := range modprobeFolders {
		names, err := s.names(folder)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			file := path.Join(folder, name)
			info, err := os.Stat(s.path(file))
			if isFolder := err == nil && info.IsDir(); found[name] == "" && path.Ext(name) == ".conf" && !isFolder {
				found[name] = file
				order = append(order, name)
			}
		}
	}
	slices.Sort(order)
	var files []string
	for _, name := range order {
		info, err := os.Stat(s.path(found[name]))
		if errors.Is(err, os.ErrNotExist) || err == nil && info.Mode()&os.ModeDevice != 0 {
			continue
		}
		files = append(files, found[name])
	}
	return files, nil
}

// against returns the first rule that keeps a module from being loaded. The first
// command of a module is the one that modprobe runs.
func (r modprobeRules) against(name string) modprobeRule {
	switch {
	case r.all != "":
		return modprobeRule{text: r.all, source: "/proc/sys/kernel/modules_disabled"}
	case slices.Contains(r.refused, name):
		return modprobeRule{text: "module_blacklist=" + name, source: "/proc/cmdline"}
	}
	for _, verb := range []string{"alias", "install"} { // in which modprobe looks for a name
		for _, rule := range r.settings {
			if matches, err := path.Match(rule.pattern, name); rule.verb != verb || err != nil || !matches {
				continue
			}
			if rule.loads(name) {
				break
			}
			return rule
		}
	}
	return modprobeRule{source: strings.Join(modprobeFolders, ", ")}
}

// loads reports whether a rule has the module loaded all the same: a command that
// calls modprobe past itself, or insmod, or another name for the module itself.
func (r modprobeRule) loads(name string) bool {
	if r.verb == "alias" {
		return moduleName(r.rest) == name
	}
	fails, works := false, false // the command before, as far as that is known
	for _, command := range commands(r.rest) {
		before, rest := command[0], command[1:]
		if before == "&&" && fails || before == "||" && works || len(rest) == 0 {
			continue
		}
		program := path.Base(rest[0])
		fails, works = program == "false", program == "true"
		switch {
		case program == "exit":
			return false
		case isLoading(rest, name):
			return true
		}
	}
	return false
}

// commands splits a line of a shell into commands, each with what stands before it: a
// semicolon, && or ||.
func commands(line string) [][]string {
	line = strings.NewReplacer("&&", " && ", "||", " || ", ";", " ; ", "|", " ; ", "&", " ; ", "(", " ; ", ")", " ; ", "{", " ", "}", " ",
		`"`, " ", "'", " ").Replace(line)
	all := [][]string{{";"}}
	for _, word := range strings.Fields(line) {
		if word == ";" || word == "&&" || word == "||" {
			all = append(all, []string{word})
			continue
		}
		all[len(all)-1] = append(all[len(all)-1], word)
	}
	return all
}

// isLoading reports whether a command loads a module: insmod, or modprobe that is told
// to pass over its settings.
func isLoading(words []string, name string) bool {
	past, calls, insmod := false, false, false
	for _, word := range words {
		program := path.Base(word)
		isName := moduleName(word) == name || word == "$MODPROBE_MODULE"
		switch {
		case calls && past && isName, insmod && isName:
			return true
		case word == "--ignore-install", strings.HasPrefix(word, "-") && !strings.HasPrefix(word, "--") && strings.Contains(word, "i"):
			past = true
		}
		calls, insmod = calls || program == "modprobe", insmod || program == "insmod"
	}
	return false
}
