package main

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/inventory"
)

const surveyFile = "survey.json"

// saveSurvey keeps what was measured: the survey, which has it all.
func saveSurvey(folder string, s *facts.Survey) error {
	if err := makeFolder(folder); err != nil {
		return err
	}
	facts.EachText(s, func(text *message.Text) { *text = words.English().Filled(*text) })
	data, err := manifests.EncodeJSON(s)
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(folder, surveyFile), data, 0o600)
}

// readSurvey reads what was measured before: a survey, or a folder of hosts'
// facts as the probe writes them where it was carried by hand. Facts are put to
// hosts by the name that they have inside, never by that of the file. With
// groups, it is as if only their hosts had been measured.
func (a *app) readSurvey(f preflightFlags, inv *inventory.Inventory) (*facts.Survey, error) {
	s, err := a.readSaved(f, inv)
	if s == nil && err == nil {
		s, err = a.readBrought(f, inv)
	}
	if err != nil {
		return nil, err
	}
	if inv != nil {
		s.Groups = groupsOf(inv, nil)
	}
	if len(f.groups) == 0 {
		return s, nil
	}
	return s, f.keepGroups(s)
}

// readSaved reads the survey that a folder has, and gives nil if it has none. It
// may be named itself.
func (a *app) readSaved(f preflightFlags, inv *inventory.Inventory) (*facts.Survey, error) {
	folder := f.factsDir
	path := filepath.Join(folder, surveyFile)
	if info, err := os.Stat(folder); err == nil && !info.IsDir() {
		if err := checkForm(folder, aSurvey); err != nil {
			return nil, err
		}
		path = folder
	}
	file, _, err := openRegular(path, []form{aSurvey})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	s, err := facts.ReadSurvey(file)
	err = inWords(err)
	if err != nil {
		return nil, explainSurvey(path, err)
	}
	facts.EachText(s, inCodes)
	if inv == nil {
		return s, nil
	}
	return s, a.regroup(s, inv, f)
}

// explainSurvey says what to do with a file that is no survey that this program reads.
func explainSurvey(path string, err error) error {
	hint := "is it a survey that island preflight --save wrote?"
	if later := (*facts.VersionError)(nil); errors.As(err, &later) {
		hint = "judge it with the program that has measured, or a later one"
	} else if _, err := readFacts(path); err == nil {
		return usage("give the folder that they lie in, --facts "+filepath.Dir(path), "%s holds the facts of one host, not a survey of all", path)
	}
	return fault.Explain(err, fault.Usage, fault.Here, path, hint)
}

// regroup returns hosts the groups of an inventory in place of those saved. Hosts
// that only one of the two has are not passed over.
func (a *app) regroup(s *facts.Survey, inv *inventory.Inventory, f preflightFlags) error {
	saved := map[string]*facts.Host{}
	for i := range s.Hosts {
		saved[s.Hosts[i].Name] = &s.Hosts[i]
	}
	var lacking []facts.Host
	for _, host := range inv.Hosts {
		if found := saved[host.Name]; found != nil {
			stated, err := f.hostWithout(host)
			if err != nil {
				return err
			}
			found.Groups, found.Interfaces, found.ClusterNetworks = stated.Groups, stated.Interfaces, stated.ClusterNetworks
			delete(saved, host.Name)
			continue
		}
		result, err := f.hostWithout(host)
		if err != nil {
			return err
		}
		result.Reach.Detail = message.Of("facts.reach.not-saved", nil)
		lacking = append(lacking, result)
	}
	if len(saved) > 0 {
		a.note("note: the inventory does not have these hosts of the survey, whose groups are those that were saved: %s",
			someOf(slices.Sorted(maps.Keys(saved))))
	}
	if !s.Partial {
		s.Hosts = append(s.Hosts, lacking...)
	}
	return nil
}

// hostWithout is a host of an inventory of which there are no facts. Of one that is
// left out no more than its groups is looked at.
func (f *preflightFlags) hostWithout(host *inventory.Host) (facts.Host, error) {
	known, err := facts.Host{Name: host.Name, Groups: host.Groups}, error(nil)
	if !f.leavesOut(host.Groups) {
		known, err = described(host)
	}
	known.Reach = facts.Reach{Outcome: facts.Failed, Method: message.Of("facts.method.saved", nil)}
	return known, err
}

// described is what an inventory says of a host.
func described(host *inventory.Host) (facts.Host, error) {
	internal, err := host.Internal()
	if err != nil {
		return facts.Host{}, err
	}
	interfaces, err := host.Interfaces()
	return facts.Host{
		Name: host.Name, Groups: host.Groups, Interfaces: interfaces, ClusterNetworks: host.ClusterNetworks(), Internal: internal,
	}, err
}

// brought are the facts that a folder holds, by the name that they have inside.
type brought map[string]broughtFacts

type broughtFacts struct {
	file  string
	facts *facts.Facts
}

// maxNamed bounds the names that a message lists.
const maxNamed = 8

// readBrought puts facts that were carried by hand to the hosts of an inventory.
func (a *app) readBrought(f preflightFlags, inv *inventory.Inventory) (*facts.Survey, error) {
	if inv == nil {
		return nil, usage("give the inventory, too: it says which roles the hosts have", "folder %s has no %s", f.factsDir, surveyFile)
	}
	byName, err := readFactsFolder(f.factsDir)
	if err != nil {
		return nil, err
	}
	strangers, err := a.strangers(byName, inv)
	if err != nil {
		return nil, err
	}
	s := facts.NewSurvey(time.Time{})
	for _, host := range inv.Hosts {
		result, err := f.hostWithout(host)
		if err != nil {
			return nil, err
		}
		result.Facts = byName[host.Name].facts
		switch {
		case result.Facts == nil && len(strangers) > 0:
			result.Reach.Detail = message.Of("facts.reach.others-brought", message.Args{"names": facts.Cut(someOf(strangers))})
		case result.Facts == nil:
			result.Reach.Detail = message.Of("facts.reach.not-brought", nil)
		default:
			result.Reach.Outcome = facts.Reached
			if s.Started.IsZero() || result.Facts.Taken.Before(s.Started) {
				s.Started = result.Facts.Taken
			}
		}
		s.Hosts = append(s.Hosts, result)
	}
	if s.Started.IsZero() {
		s.Started = time.Unix(0, 0)
	}
	return s, nil
}

// strangers returns the names that no host of an inventory has, and says so: a
// typing error looks like facts that nobody has brought. Where no facts are left
// to judge it refuses them.
func (a *app) strangers(found brought, inv *inventory.Inventory) ([]string, error) {
	var hosts, lacking []string
	for _, host := range inv.Hosts {
		hosts = append(hosts, host.Name)
		if found[host.Name].facts == nil {
			lacking = append(lacking, host.Name)
		}
	}
	strangers := slices.DeleteFunc(slices.Sorted(maps.Keys(found)), func(name string) bool { return slices.Contains(hosts, name) })
	if len(strangers) == 0 {
		return nil, nil
	}
	message := "the inventory has no host of the name in these facts: " + someOf(found.withFiles(strangers))
	if len(strangers) == len(found) {
		return nil, usage("the inventory's hosts are "+someOf(hosts)+"; correct the name in the file, or collect again with --name",
			"%s", message)
	}
	if len(lacking) > 0 {
		message += "; it has no facts of " + someOf(lacking)
	}
	a.note("note: %s", message)
	return strangers, nil
}

// withFiles returns names with the files that they stand in.
func (b brought) withFiles(names []string) []string {
	var result []string
	for _, name := range names {
		result = append(result, name+" ("+b[name].file+")")
	}
	return result
}

// someOf lists names, as far as a reader would follow.
func someOf(names []string) string {
	if len(names) > maxNamed {
		return strings.Join(names[:maxNamed], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

func readFactsFolder(folder string) (brought, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fault.Explain(err, fault.Usage, fault.Here, "", "give a folder with facts")
	}
	byName := brought{}
	var flaws []error
	for _, entry := range entries {
		if entry.IsDir() || !strings.HasSuffix(entry.Name(), ".json") {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		document, err := readFacts(path)
		switch {
		case err != nil:
			flaws = append(flaws, err)
		case byName[document.Name].facts != nil:
			flaws = append(flaws, fault.New(fault.Usage, fault.Here, path, "remove the older one",
				"facts of host %q are there twice", document.Name))
		default:
			byName[document.Name] = broughtFacts{path, document}
		}
	}
	if len(byName) == 0 && flaws == nil {
		return nil, usage("give the folder that island preflight --save has written, or the one with what island-probe collect wrote",
			"folder %s has neither %s nor facts of a host", folder, surveyFile)
	}
	return byName, errors.Join(flaws...)
}

func readFacts(path string) (*facts.Facts, error) {
	if err := checkForm(path, aSurvey); err != nil {
		return nil, err
	}
	file, _, err := openRegular(path, []form{aSurvey})
	if err != nil {
		return nil, err
	}
	defer file.Close()
	document, err := facts.Read(file)
	if err != nil {
		return nil, fault.Explain(inWords(err), fault.Usage, fault.Here, path, "it must be what island-probe collect wrote")
	}
	facts.EachText(document, inCodes)
	return document, nil
}

// recogniser knows the sentences of version 1, which has English in place of codes.
var recogniser = sync.OnceValue(func() *words.Recogniser { return words.English().Recogniser("facts.") })

func inCodes(text *message.Text) { *text = recogniser().Text(*text) }
