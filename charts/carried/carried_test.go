package carried_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/charts/carried"
	"github.com/islandbundle/island/manifests"
)

const (
	ofIndex    = manifests.Digest("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	ofManifest = manifests.Digest("sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
	ofOther    = manifests.Digest("sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc")
)

func ref(t *testing.T, text string) manifests.ImageRef {
	t.Helper()
	parsed, err := manifests.ParseImageRef(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// lockOf carries a few images and charts, and has decided about others.
func lockOf(t *testing.T) *manifests.Lock {
	t.Helper()
	image := func(name string) manifests.LockedImage {
		return manifests.LockedImage{
			Name: ref(t, name), Digest: ofIndex, Manifests: []manifests.LockedManifest{{Digest: ofManifest}},
		}
	}
	return &manifests.Lock{
		Images: []manifests.LockedImage{
			image("quay.io/wire/brig:5.30.9"), image("docker.io/library/redis:7.4.6"), image("quay.io/wire/pinned:1@" + string(ofIndex)),
			image("docker.io/hublegacy/nginx:1.27.3"), image("docker.io/library/busybox:latest"),
		},
		Charts: []manifests.LockedChart{{Name: "redis-ephemeral", Version: "5.28.0"}, {Name: "ranged", Version: "2.0.0"}},
		Files:  []manifests.LockedFile{{Path: "files/plugins/a.zip", Content: manifests.Content{URL: "https://dl.example.org/a.zip"}}},
		LeftOut: []manifests.Omission{
			{What: "quay.io/wire/federator:1", Reason: "does not federate", Origin: manifests.Origin{
				Chart: "app", Template: "app/templates/f.yaml", Object: "Deployment/f", Field: "spec.image",
			}},
			{What: "quay.io/wire/stats:1", Reason: "not used", Origin: manifests.Origin{
				Chart: "app", Template: "app/charts/stats/values.yaml", Object: "values", Field: "stats.image",
			}},
			{What: "docs.example.org/page:80", Reason: "no image"},
		},
		Rules: []manifests.DiscoveryRule{
			{Where: "*ConfigMap/notes data*", Action: "exclude", Reason: "notes for people"},
			{Where: "*values *", Image: "quay.io/wire/likely:*", Action: "exclude", Reason: "off"},
			{Image: "https://charts.example.org/ranged:*", Action: "include", Reason: "we have it"},
			{Image: "quay.io/wire/certain:*", Action: "exclude", Reason: "off"},
		},
	}
}

// TestJudge asks for one thing each.
func TestJudge(t *testing.T) {
	t.Parallel()
	at := func(object, template, field string) manifests.Origin {
		return manifests.Origin{Chart: "app", Template: template, Object: object, Field: field}
	}
	pod := at("Deployment/a", "app/templates/a.yaml", "spec.image")
	named := func(repository, name, version string) charts.ImageFind {
		chart := charts.NamedChart{Repository: repository, Name: name, Version: version}
		return charts.ImageFind{Image: chart.String(), Class: charts.Named, Chart: chart, Origin: at("HelmRelease/x", "app/templates/x.yaml", "")}
	}
	certain := func(image string) charts.ImageFind {
		return charts.ImageFind{Image: image, Class: charts.Certain, Origin: pod}
	}
	for name, test := range map[string]struct {
		find       charts.ImageFind
		registries []string
		part       string // of the report; nothing where it is carried
		why        carried.Why
		floats     bool
	}{
		"carried":                           {find: certain("quay.io/wire/brig:5.30.9")},
		"short name":                        {find: certain("redis:7.4.6")},
		"digest of the index":               {find: certain("quay.io/wire/brig@" + string(ofIndex))},
		"digest of a manifest, another tag": {find: certain("quay.io/wire/brig:x@" + string(ofManifest))},
		"another digest": {
			certain("quay.io/wire/brig:5.30.9@" + string(ofOther)), nil, "missing", carried.OtherVersion, false,
		},
		"digest in another repository":  {certain("quay.io/wire/galley@" + string(ofIndex)), nil, "missing", carried.Unknown, false},
		"pinned, by digest":             {find: certain("quay.io/wire/pinned@" + string(ofIndex))},
		"pinned, by tag alone":          {certain("quay.io/wire/pinned:1"), nil, "missing", carried.OtherVersion, false},
		"another tag":                   {certain("quay.io/wire/brig:5.30.10"), nil, "missing", carried.OtherVersion, false},
		"no tag":                        {certain("quay.io/wire/brig"), nil, "missing", carried.OtherVersion, true},
		"no tag, and latest is carried": {find: certain("busybox")},
		"latest":                        {certain("quay.io/wire/brig:latest"), nil, "missing", carried.OtherVersion, true},
		"a tag without numbers":         {certain("quay.io/wire/brig:stable"), nil, "missing", carried.OtherVersion, true},
		"another registry":              {certain("harbor.lan/wire/brig:5.30.9"), nil, "missing", carried.OtherRegistry, false},
		"another registry with a path":  {certain("harbor.lan/all/wire/brig:5.30.9"), nil, "missing", carried.OtherRegistry, false},
		"the site's registry":           {find: certain("harbor.lan/wire/brig:5.30.9"), registries: []string{"harbor.lan"}},
		"the site's, with a path": {
			find: certain("harbor.lan/all/quay.io/wire/brig:5.30.9"), registries: []string{"x", "harbor.lan/all/"},
		},
		"the site's, official":    {find: certain("harbor.lan/redis:7.4.6"), registries: []string{"harbor.lan"}},
		"the site's, another tag": {certain("harbor.lan/wire/brig:5"), []string{"harbor.lan"}, "missing", carried.LikeNamed, false},
		"the site's, another host": {
			certain("harbor.land/wire/brig:5.30.9"), []string{"harbor.lan"}, "missing", carried.OtherRegistry, false,
		},
		"another organisation": {certain("docker.io/hub/nginx:1.27.3"), nil, "missing", carried.LikeNamed, false},
		"left out at this place": {charts.ImageFind{Image: "quay.io/wire/federator:1", Class: charts.Certain,
			Origin: at("Deployment/f", "app/templates/f.yaml", "spec.image")}, nil, "decided", carried.LeftOut, false},
		"left out at another place": {certain("quay.io/wire/federator:1"), nil, "missing", carried.LeftOut, false},
		"off in the release":        {certain("quay.io/wire/stats:1"), nil, "missing", carried.LeftOut, false},
		"certain, against a rule":   {certain("quay.io/wire/certain:1"), nil, "missing", carried.Unknown, false},
		"likely": {
			charts.ImageFind{Image: "a.example/b:1", Class: charts.Likely, Origin: pod}, nil, "missing", carried.Unknown, false,
		},
		"likely, off in the release": {
			charts.ImageFind{Image: "quay.io/wire/likely:1", Class: charts.Likely, Origin: pod}, nil, "missing", carried.Unknown, false,
		},
		"likely, in notes": {charts.ImageFind{Image: "a.example/b:1", Class: charts.Likely,
			Origin: at("ConfigMap/notes", "app/templates/n.yaml", `data["a"]`)}, nil, "decided", carried.LeftOut, false},
		"a text": {
			charts.ImageFind{Image: "a.example/b:1", Class: charts.Candidate, Origin: pod}, nil, "unsure", carried.Unknown, false,
		},
		"a text, decided": {find: charts.ImageFind{Image: "docs.example.org/page:80", Class: charts.Candidate, Origin: pod}},
		"a text, carried": {find: charts.ImageFind{Image: "quay.io/wire/brig:5.30.9", Class: charts.Candidate, Origin: pod}},
		"a value that is off": {find: charts.ImageFind{Image: "a.example/b:1", Class: charts.Candidate,
			Origin: at("values", "app/values.yaml", "b.image")}},
		"no reference":            {find: charts.ImageFind{Image: "??", Class: charts.Candidate, Origin: pod}},
		"a chart that is carried": {find: named("https://charts.example.org", "redis-ephemeral", "5.28.0")},
		"a chart in a range":      {find: named("https://charts.example.org", "ranged", "2.x")},
		"a chart, other version": {
			named("https://charts.example.org", "redis-ephemeral", "6.0.0"), nil, "missing", carried.OtherVersion, false,
		},
		"a chart that is not": {named("https://charts.example.org", "loki", "1.0.0"), nil, "missing", carried.Unknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := charts.Discovery{
				Chart: charts.Metadata{Name: "app", Version: "1.0.0"}, Finds: charts.Finds{Images: []charts.ImageFind{test.find}},
			}
			report := carried.Judge(lockOf(t), []charts.Discovery{found}, test.registries)
			parts := map[string][]carried.Finding{"missing": report.Missing, "unsure": report.Unsure, "decided": report.Decided}
			var told []string
			for part, list := range parts {
				for _, f := range list {
					told = append(told, part)
					if f.Why != test.why || f.Floats != test.floats || f.Chart != "app" || f.Version != "1.0.0" {
						t.Errorf("%+v", f)
					}
				}
			}
			if want := slices.DeleteFunc([]string{test.part}, func(part string) bool { return part == "" }); !slices.Equal(told, want) {
				t.Errorf("told as %q, want %q", told, want)
			}
		})
	}
}

// TestFilesAreTold looks at files that are named by URL.
func TestFilesAreTold(t *testing.T) {
	t.Parallel()
	found := charts.Discovery{Site: &charts.SiteInsight{Files: []charts.NamedFile{
		{URL: "https://dl.example.org/a.zip"}, {URL: "https://dl.example.org/b.tar.gz"},
	}}}
	report := carried.Judge(lockOf(t), []charts.Discovery{found}, nil)
	if len(report.Missing)+len(report.Decided) > 0 || len(report.Unsure) != 2 {
		t.Fatalf("told %+v", report)
	}
	if f := report.Unsure[0]; f.Kind != carried.File || f.Why != carried.Elsewhere || strings.Join(f.Have, "") != "files/plugins/a.zip" {
		t.Errorf("%+v", f)
	}
	if f := report.Unsure[1]; f.Why != carried.Unknown || f.Have != nil {
		t.Errorf("%+v", f)
	}
}

// TestWhatSwitchedItOn is told of a subchart's image.
func TestWhatSwitchedItOn(t *testing.T) {
	t.Parallel()
	find := charts.ImageFind{Image: "quay.io/wire/x:1", Class: charts.Certain, Subchart: "stats/inner"}
	found := charts.Discovery{Finds: charts.Finds{Images: []charts.ImageFind{find}}, Site: &charts.SiteInsight{
		On:   []charts.Switch{{Subchart: "stats", On: []string{"tags.stats=true"}}, {Subchart: "other", On: []string{"tags.other=true"}}},
		Held: map[string][]string{find.Image: {"other.image", "stats.inner.image"}},
	}}
	f := carried.Judge(lockOf(t), []charts.Discovery{found}, nil).Missing[0]
	if strings.Join(f.On, " ") != "tags.stats=true" || strings.Join(f.Values, " ") != "stats.inner.image" {
		t.Errorf("%+v", f)
	}
}
