package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/inventory"
)

const surveyFile = "survey.json"

// saveSurvey keeps what was measured: the survey, which has it all.
func saveSurvey(folder string, s *facts.Survey) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fault.Explain(err, fault.Failure, fault.Here, "", "choose a folder that can be written to")
	}
	data, err := manifests.EncodeJSON(s)
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(folder, surveyFile), data, 0o600)
}

// readSurvey reads what was measured before: a survey, or a folder of hosts'
// facts as the probe writes them where it was carried by hand. Facts are put to
// hosts by the name that they have inside, never by that of the file.
func readSurvey(folder string, inv *inventory.Inventory) (*facts.Survey, error) {
	path := filepath.Join(folder, surveyFile)
	file, err := os.Open(path)
	if err == nil {
		defer file.Close()
		s, err := facts.ReadSurvey(file)
		if err == nil && inv != nil {
			regroup(s, inv)
		}
		return s, fault.Explain(err, fault.Usage, fault.Here, path, "is it a survey that island preflight --save wrote?")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	if inv == nil {
		return nil, usage("give the inventory, too: it says which roles the hosts have", "folder %s has no %s", folder, surveyFile)
	}
	return readFactsFolder(folder, inv)
}

// regroup gives hosts the groups of an inventory in place of those saved.
func regroup(s *facts.Survey, inv *inventory.Inventory) {
	for i := range s.Hosts {
		at := slices.IndexFunc(inv.Hosts, func(h *inventory.Host) bool { return h.Name == s.Hosts[i].Name })
		if at >= 0 {
			s.Hosts[i].Groups, s.Hosts[i].Interfaces = inv.Hosts[at].Groups, inv.Hosts[at].Interfaces()
		}
	}
}

func readFactsFolder(folder string, inv *inventory.Inventory) (*facts.Survey, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fault.Explain(err, fault.Usage, fault.Here, "", "give a folder with facts")
	}
	byName := map[string]*facts.Facts{}
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
		case byName[document.Name] != nil:
			flaws = append(flaws, fault.New(fault.Usage, fault.Here, path, "remove the older one", "facts of host %q are there twice", document.Name))
		default:
			byName[document.Name] = document
		}
	}
	if err := errors.Join(flaws...); err != nil {
		return nil, err
	}
	s := &facts.Survey{APIVersion: facts.APIVersion, Kind: facts.SurveyKind, Links: []facts.Link{}, Site: []facts.Observation{}}
	for _, host := range inv.Hosts {
		connection, err := host.Connection()
		if err != nil {
			return nil, err
		}
		result := facts.Host{Name: host.Name, Groups: host.Groups, Interfaces: host.Interfaces(), Internal: connection.Internal, Facts: byName[host.Name]}
		result.Reach = facts.Reach{Outcome: facts.Reached, Method: "saved"}
		if result.Facts == nil {
			result.Reach.Outcome, result.Reach.Detail = facts.Failed, "no facts of it were brought"
		} else if s.Started.IsZero() || result.Facts.Taken.Before(s.Started) {
			s.Started = result.Facts.Taken
		}
		s.Hosts = append(s.Hosts, result)
	}
	if s.Started.IsZero() {
		s.Started = time.Unix(0, 0)
	}
	return s, nil
}

func readFacts(path string) (*facts.Facts, error) {
	file, err := os.Open(path)
	if err == nil {
		defer file.Close()
		var info os.FileInfo
		if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
			err = errors.New("not a regular file")
		}
	}
	if err != nil {
		return nil, fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	document, err := facts.Read(file)
	return document, fault.Explain(err, fault.Usage, fault.Here, path, "it must be what island-probe collect wrote")
}
