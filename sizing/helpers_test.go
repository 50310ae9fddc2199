package sizing

import (
	"fmt"
	"testing"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/manifests"
)

func someSite(t testing.TB, users int64, conferences string) *Site {
	t.Helper()
	s := NewSite()
	s.Name, s.Scenario, s.Users = "Example Hospital", DefaultScenario, users
	parsed, err := ParseConferences(conferences)
	if err != nil {
		t.Fatal(err)
	}
	s.Conferences = parsed
	if err := s.Check(""); err != nil {
		t.Fatal(err)
	}
	return s
}

func calculate(t testing.TB, site *Site, table string, lang page.Lang) *Report {
	t.Helper()
	return Calculate(Input{Site: site, Table: embeddedTable(t, table), Lang: lang})
}

// someLock is a release with two charts that share a layer, and a list.
func someLock(t testing.TB, layer int64) *manifests.Lock {
	t.Helper()
	platform, err := manifests.ParsePlatform("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	date, err := manifests.ParseDate("2026-03-31")
	if err != nil {
		t.Fatal(err)
	}
	lock := &manifests.Lock{APIVersion: manifests.APIVersion, Kind: manifests.KindLock,
		Release: manifests.LockedRelease{Name: "wire", Version: "2026.1", Date: date, Platforms: []manifests.Platform{platform}}}
	digest := func(name string) manifests.Digest { return manifests.DigestOf([]byte(name)) }
	seen := map[manifests.Digest]bool{}
	blob := func(name string, size int64, mediaType string) manifests.Digest {
		d := digest(name)
		if !seen[d] {
			seen[d] = true
			lock.Blobs = append(lock.Blobs, manifests.Content{Digest: d, Size: size, MediaType: mediaType, Repository: "quay.io/wire/" + name})
		}
		return d
	}
	for _, image := range []struct{ name, chart, list string }{{"brig", "wire-server", ""}, {"galley", "wire-server", ""}, {"webapp", "webapp", ""}, {"pause", "", "images, group system"}} {
		ref, err := manifests.ParseImageRef("quay.io/wire/" + image.name + ":1")
		if err != nil {
			t.Fatal(err)
		}
		m := manifests.LockedManifest{
			Platform: platform, Digest: blob(image.name, 1000, manifests.OCIManifest), Config: blob(image.name+"-config", 500, ""),
			Layers: []manifests.Digest{blob("base", layer, ""), blob(image.name+"-layer", layer, "")},
		}
		lock.Images = append(lock.Images, manifests.LockedImage{
			Name: ref, Digest: m.Digest, MediaType: manifests.OCIManifest, Size: 1000, Manifests: []manifests.LockedManifest{m},
			From: []manifests.Origin{{Chart: image.chart, List: image.list}},
		})
	}
	lock.Charts = []manifests.LockedChart{{Name: "wire-server", Version: "5.30.9", Path: "charts/wire-server-5.30.9.tgz",
		Content: manifests.Content{Digest: digest("chart"), Size: 7, URL: "charts/wire-server.tgz"}}}
	if _, err := lock.Encode(); err != nil {
		t.Fatal(err)
	}
	if err := lock.Check(); err != nil {
		t.Fatal(err)
	}
	return lock
}

func figureOf(t testing.TB, list []Figure, id string) Figure {
	t.Helper()
	for _, f := range list {
		if f.ID == id {
			return f
		}
	}
	t.Fatalf("no figure %s", id)
	return Figure{}
}

func findingOf(r *Report, id string) *Finding {
	for i := range r.Findings {
		if r.Findings[i].ID == id {
			return &r.Findings[i]
		}
	}
	return nil
}

func wantFinding(t testing.TB, r *Report, id string, level Level) {
	t.Helper()
	if f := findingOf(r, id); f == nil || f.Level != level {
		t.Errorf("finding %s is %v, want level %s; all: %s", id, f, level, allFindings(r))
	}
}

func allFindings(r *Report) string {
	text := ""
	for _, f := range r.Findings {
		text += fmt.Sprintf("\n  %s %s: %s", f.Level, f.ID, f.Text)
	}
	return text
}
