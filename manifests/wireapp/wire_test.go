package wireapp_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/wireapp"
)

// withoutEntry are the charts of Wire's release manifests that have no entry in
// the overlay, because they render all that an island uses as they are. Those
// marked "not tried" are not public here: docs/wire.md.
var withoutEntry = []string{
	"aws-ingress",
	"backoffice",
	"calling-test",
	"cassandra-external",
	"cert-manager",
	"databases-ephemeral",
	"demo-smtp",
	"disallowed-clients", // not tried
	"elasticsearch-curator",
	"elasticsearch-ephemeral",
	"elasticsearch-external",
	"elasticsearch-migrate", // not tried
	"fake-aws",
	"fake-aws-s3",
	"fake-aws-sqs",
	"fluent-bit",
	"k8ssandra-test-cluster",
	"keycloakx",
	"kibana",
	"ldap-scim-bridge",
	"loki-wrapper",     // not tried
	"migrate-features", // not tried
	"minio-external",
	"nginx-ingress-controller",
	"otel-collector", // not tried
	"rabbitmq",
	"rabbitmq-external",
	"redis-cluster",
	"redis-ephemeral",
}

func overlay(t *testing.T) *manifests.Release {
	t.Helper()
	release, err := wireapp.Overlay()
	if err != nil {
		t.Fatalf("the embedded overlay does not decode: %v", err)
	}
	return release
}

func TestOverlayIsAnOverlay(t *testing.T) {
	t.Parallel()
	release := overlay(t)
	if release.Kind != manifests.KindOverlay || release.APIVersion != manifests.APIVersion {
		t.Errorf("kind %q, apiVersion %q", release.Kind, release.APIVersion)
	}
	if release.Metadata.Name != "wire" || release.Metadata.Version != "" {
		t.Errorf("the overlay of every release is for one: %+v", release.Metadata)
	}
	if len(release.Platforms) != 1 || release.Platforms[0].String() != "linux/amd64" {
		t.Errorf("platforms %v, Wire's binaries are for linux/amd64", release.Platforms)
	}
	for _, chart := range release.Charts {
		if chart.Repo != "" || chart.Path != "" || chart.Version != "" {
			t.Errorf("chart %s: a repository, path or version is the build.json's to say", chart.Name)
		}
	}
}

// A caller that changes what it was given must not change what the next one gets.
func TestOverlayIsFreshEachTime(t *testing.T) {
	t.Parallel()
	first := overlay(t)
	first.Charts[0].Name = "changed"
	if overlay(t).Charts[0].Name == "changed" {
		t.Error("two calls share their charts")
	}
}

func TestImages(t *testing.T) {
	t.Parallel()
	release := overlay(t)
	groups := map[string]int{}
	seen := map[string]bool{}
	for _, image := range release.Images {
		groups[image.Group]++
		if seen[image.Name] {
			t.Errorf("image %s twice", image.Name)
		}
		seen[image.Name] = true
		if image.TagFromChart != "" {
			if _, err := manifests.ParseImageRef(image.Name); !errors.Is(err, manifests.ErrNoTag) {
				t.Errorf("image %s has its tag from chart %s and yet: %v", image.Name, image.TagFromChart, err)
			}
			continue
		}
		checkRef(t, image.Name)
	}
	if groups["system"] != 18 {
		t.Errorf("%d system images, Wire delivers 18", groups["system"])
	}
	if groups["adminhost"] != 1 || len(groups) != 2 {
		t.Errorf("groups of images: %v", groups)
	}
	zauth := slices.IndexFunc(release.Images, func(i manifests.Image) bool { return i.Name == "quay.io/wire/zauth" })
	if zauth < 0 || release.Images[zauth].TagFromChart != "wire-server" {
		t.Error("zauth does not come at wire-server's version")
	}
	for _, chart := range release.Charts {
		for _, image := range chart.Images {
			checkRef(t, image)
		}
	}
}

// checkRef holds that an image is named in full, as pods on the island will
// name it, and by a tag that means something.
func checkRef(t *testing.T, name string) {
	t.Helper()
	ref, err := manifests.ParseImageRef(name)
	switch {
	case err != nil:
		t.Error(err)
	case ref.String() != name:
		t.Errorf("%s is short for %s", name, ref)
	case ref.Tag == "latest" || ref.Tag == "do-not-use":
		t.Errorf("%s has a tag that pins nothing", name)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	release := overlay(t)
	if len(release.Files) != 26 {
		t.Errorf("%d binaries, Wire delivers 26", len(release.Files))
	}
	destinations, sums := map[string]bool{}, map[string]bool{}
	for _, file := range release.Files {
		if _, err := manifests.ParseDigest("sha256:" + file.SHA256); err != nil {
			t.Errorf("%s: %v", file.URL, err)
		}
		if _, err := manifests.ParseEntryPath("files/" + file.Destination); err != nil {
			t.Error(err)
		}
		if destinations[file.Destination] || sums[file.SHA256] {
			t.Errorf("%s: destination or sum twice", file.URL)
		}
		destinations[file.Destination], sums[file.SHA256] = true, true
		// The playbooks look for each file under the last part of its URL.
		if path.Base(file.URL) != path.Base(file.Destination) || path.Dir(file.Destination) != "binaries" {
			t.Errorf("%s goes to %s", file.URL, file.Destination)
		}
		if file.Group != "binaries" {
			t.Errorf("%s is in group %q", file.URL, file.Group)
		}
		if file.Mode != "0755" && file.Mode != "0644" {
			t.Errorf("%s has mode %q", file.URL, file.Mode)
		}
	}
}

// Sums that Wire publishes a second time, in hexadecimal, in the playbooks'
// variables: they check the conversion from base64 and Nix's base32.
// wireapp/wire-server-deploy 682349dc, ansible/inventory/offline/group_vars/all/offline.yml.
func TestSumsAgainstASecondSource(t *testing.T) {
	t.Parallel()
	second := map[string]string{
		"binaries/minio.RELEASE.2023-07-07T07-13-57Z": "f6d1aadf4baec1556880e659748d7fbc6bc8d2dac3554f816e95492d3881660a",
		"binaries/mc.RELEASE.2023-10-24T05-18-28Z":    "5f12926b646b533cdea1a548c54460a4dad78f27b8b17d399ba02ff4ee368e4d",
	}
	for _, file := range overlay(t).Files {
		if want, ok := second[file.Destination]; ok {
			delete(second, file.Destination)
			if file.SHA256 != want {
				t.Errorf("%s: sha256 %s, the playbooks say %s", file.Destination, file.SHA256, want)
			}
		}
	}
	if len(second) > 0 {
		t.Errorf("files gone: %v", second)
	}
}

// The lists of wireapp/wire-server-deploy 682349dc, offline/*-build/build.sh,
// HELM_CHART_EXCLUDE_LIST, as they stand there (two of them name fluent-bit
// twice).
func TestProfilesLeaveOutWhatWireLeavesOut(t *testing.T) {
	t.Parallel()
	tests := []struct {
		profile, charts, images string
		without                 []string
	}{
		{
			profile: "default",
			charts:  "inbucket,wire-server-enterprise,postgresql,rust-sft,fluent-bit",
		},
		{
			profile: "demo",
			charts: "inbucket,wire-server-enterprise,k8ssandra-operator,k8ssandra-test-cluster,elasticsearch-curator,keycloakx,openebs," +
				"nginx-ingress-controller,kibana,restund,fluent-bit,aws-ingress,redis-cluster,calling-test,demo-smtp,cassandra-external," +
				"elasticsearch-external,minio-external,postgresql-external,rabbitmq-external,rust-sft,fluent-bit",
			images:  "quay.io/wire/federator:*",
			without: []string{"adminhost", "binaries", "system"},
		},
		{
			profile: "min",
			charts: "inbucket,wire-server-enterprise,k8ssandra-operator,k8ssandra-test-cluster,elasticsearch-ephemeral,elasticsearch-curator," +
				"rabbitmq,smtp,fake-aws,fake-aws-s3,postgresql,keycloakx,openebs,nginx-ingress-controller,kibana,restund,fluent-bit," +
				"aws-ingress,databases-ephemeral,redis-cluster,calling-test,cert-manager,kube-prometheus-stack,demo-smtp,wire-utility," +
				"rust-sft,fluent-bit",
			without: []string{"binaries", "system"},
		},
	}
	profiles := overlay(t).Profiles
	if len(profiles) != len(tests) {
		t.Errorf("%d profiles, Wire has %d", len(profiles), len(tests))
	}
	for _, test := range tests {
		t.Run(test.profile, func(t *testing.T) {
			t.Parallel()
			got, ok := profiles[test.profile]
			if !ok {
				t.Fatal("no such profile")
			}
			want := strings.Split(test.charts, ",")
			slices.Sort(want)
			want = slices.Compact(want)
			if charts := slices.Sorted(slices.Values(got.Exclude.Charts)); !slices.Equal(charts, want) {
				t.Errorf("leaves out\n%v, Wire leaves out\n%v", charts, want)
			}
			var images []string
			for _, image := range got.Exclude.Images {
				images = append(images, image.Pattern)
			}
			if strings.Join(images, ",") != test.images {
				t.Errorf("leaves out images %v, want %q", images, test.images)
			}
			if without := slices.Sorted(slices.Values(got.Without)); !slices.Equal(without, test.without) {
				t.Errorf("without %v, want %v", without, test.without)
			}
		})
	}
}

// Whoever is told that something is left out or let through is told why.
func TestEveryExceptionHasAReason(t *testing.T) {
	t.Parallel()
	release := overlay(t)
	patterns := release.Exclude.Images
	for _, profile := range release.Profiles {
		patterns = append(patterns, profile.Exclude.Images...)
	}
	for _, pattern := range patterns {
		if pattern.Reason == "" {
			t.Errorf("pattern %s has no reason", pattern.Pattern)
		}
	}
	for _, allowed := range release.Allow {
		if allowed.Reason == "" {
			t.Errorf("allowed image %s has no reason", allowed.Image)
		}
		if ref, err := manifests.ParseImageRef(allowed.Image); err != nil || ref.String() != allowed.Image {
			t.Errorf("allowed image %q is not named in full", allowed.Image)
		}
	}
}

func TestEveryFileIsNamedAndEveryNameIsAFile(t *testing.T) {
	t.Parallel()
	named := map[string]string{}
	for _, chart := range overlay(t).Charts {
		for folder, list := range map[string][]string{"values": chart.Values, "secrets": chart.Secrets} {
			for _, name := range list {
				if want := folder + "/" + chart.Name + ".yaml"; name != want {
					t.Errorf("chart %s names %s, not %s", chart.Name, name, want)
				}
				named[name] = chart.Name
			}
		}
	}
	err := fs.WalkDir(wireapp.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || name == wireapp.OverlayFile || name == wireapp.UpgradesFile {
			return err
		}
		if _, ok := named[name]; !ok {
			t.Errorf("no chart names %s", name)
		}
		delete(named, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, chart := range named {
		t.Errorf("chart %s names %s, which is not there", chart, name)
	}
}

// Every values and secrets file is a mapping without duplicate keys, and says
// where it comes from and when that was read.
func TestValuesFiles(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(wireapp.FS(), "*/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("values files: %v, %v", names, err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(wireapp.FS(), name)
		if err != nil {
			t.Fatal(err)
		}
		// yaml.v3 refuses duplicate keys when it decodes into a map.
		values := map[string]any{}
		if err := yaml.Unmarshal(data, &values); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(values) == 0 {
			t.Errorf("%s sets nothing", name)
		}
		// Comments wrap where the line is full, also after a slash.
		text := strings.NewReplacer("/\n# ", "/", "\n# ", " ").Replace(string(data))
		if !strings.Contains(text, "wireapp/") || !strings.Contains(text, "Read 20") {
			t.Errorf("%s does not say its source and the date it was read", name)
		}
		if strings.HasPrefix(name, "secrets/") {
			checkPlaceholders(t, name, values)
		}
	}
}

// checkPlaceholders holds that no leaf of a secrets file could be a secret.
func checkPlaceholders(t *testing.T, name string, value any) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		for _, sub := range value {
			checkPlaceholders(t, name, sub)
		}
	case []any:
		for _, sub := range value {
			checkPlaceholders(t, name, sub)
		}
	case string:
		if !strings.HasPrefix(value, "placeholder") && value != "e30=" {
			t.Errorf("%s: %q does not look like a placeholder", name, value)
		}
	default:
		t.Errorf("%s: %v is no string", name, value)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	if data, err := wireapp.Values("wire-server"); err != nil || !strings.Contains(string(data), "conversationCodeURI") {
		t.Errorf("values of wire-server: %.40q, %v", data, err)
	}
	for _, chart := range []string{"aws-ingress", "../secrets/coturn", ""} {
		if _, err := wireapp.Values(chart); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("values of %q: %v, want a missing file", chart, err)
		}
	}
}

// releases returns Wire's real release manifests, which lie beside the project.
func releases(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../../../shared/wire-builds/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Skip("no release manifests beside the project")
	}
	return paths
}

// Every chart of the real releases is decided about: it has an entry, or needs
// none.
func TestEveryChartOfTheReleasesIsDecidedAbout(t *testing.T) {
	t.Parallel()
	paths := releases(t)
	entries := map[string]bool{}
	for _, chart := range overlay(t).Charts {
		if entries[chart.Name] || slices.Contains(withoutEntry, chart.Name) {
			t.Errorf("chart %s is decided about twice", chart.Name)
		}
		entries[chart.Name] = true
	}
	inAny := map[string]bool{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var build struct {
			HelmCharts map[string]json.RawMessage `json:"helmCharts"`
		}
		if err := json.Unmarshal(data, &build); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for chart := range build.HelmCharts {
			inAny[chart] = true
			if !entries[chart] && !slices.Contains(withoutEntry, chart) {
				t.Errorf("%s: chart %s is not decided about", filepath.Base(path), chart)
			}
		}
	}
	for chart := range entries {
		if !inAny[chart] {
			t.Errorf("chart %s has an entry and is in no release", chart)
		}
	}
	for _, chart := range withoutEntry {
		if !inAny[chart] {
			t.Errorf("chart %s is on the list and is in no release", chart)
		}
	}
}

// The table in docs/wire.md is about these charts and no others, and says of
// each what the overlay says.
func TestDocumentedCharts(t *testing.T) {
	t.Parallel()
	entries := map[string]manifests.Chart{}
	for _, chart := range overlay(t).Charts {
		entries[chart.Name] = chart
	}
	section := between(t, docs(t), "| chart | value set |", "\n\n")
	rows := map[string]bool{}
	for _, line := range strings.Split(section, "\n")[2:] {
		cells := strings.Split(line, " | ")
		name, given := strings.TrimPrefix(cells[0], "| "), cells[1]
		rows[name] = true
		chart := entries[name]
		for word, has := range map[string]bool{
			"values":  len(chart.Values) > 0,
			"secrets": len(chart.Secrets) > 0,
			"images":  len(chart.Images) > 0,
			"tags":    len(chart.Tags) > 0,
			"none":    slices.Contains(withoutEntry, name),
		} {
			if strings.Contains(given, word) != has {
				t.Errorf("docs/wire.md says of %s %q, the overlay has %s: %t", name, given, word, has)
			}
		}
	}
	for name := range entries {
		if !rows[name] {
			t.Errorf("docs/wire.md does not tell of %s", name)
		}
	}
	if want := len(entries) + len(withoutEntry); len(rows) != want {
		t.Errorf("docs/wire.md has %d rows, there are %d charts", len(rows), want)
	}
}

func TestDocumentedExampleIsAValidOverlay(t *testing.T) {
	t.Parallel()
	example := between(t, docs(t), "```yaml\n", "```")
	if _, err := manifests.ReadOverlay("docs/wire.md", []byte(strings.TrimPrefix(example, "```yaml\n"))); err != nil {
		t.Error(err)
	}
}

// With the overlay laid over it each real release is whole, but for the date,
// which only the one who builds it knows.
func TestEveryReleaseIsWholeWithTheOverlay(t *testing.T) {
	t.Parallel()
	for _, path := range releases(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			build, err := manifests.Read(path, data)
			if err != nil {
				t.Fatal(err)
			}
			release, err := manifests.Lay(build, overlay(t), true)
			if err != nil {
				t.Fatal(err)
			}
			if len(release.Charts) != len(build.Charts) {
				t.Errorf("%d charts, the build.json has %d", len(release.Charts), len(build.Charts))
			}
			release.Metadata.Date, err = manifests.ParseDate("2026-03-31")
			if err != nil {
				t.Fatal(err)
			}
			if err := release.Check(); err != nil {
				t.Errorf("not whole: %v", err)
			}
			for profile := range release.Profiles {
				applied, _, err := release.Apply(profile)
				if err != nil {
					t.Errorf("profile %s: %v", profile, err)
				} else if len(applied.Charts) == 0 || len(applied.Charts) >= len(release.Charts) {
					t.Errorf("profile %s leaves %d of %d charts", profile, len(applied.Charts), len(release.Charts))
				}
			}
		})
	}
}

func docs(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// between returns the part of text from start until end.
func between(t *testing.T, text, start, end string) string {
	t.Helper()
	at := strings.Index(text, start)
	if at < 0 {
		t.Fatalf("no %q", start)
	}
	until := strings.Index(text[at+len(start):], end)
	if until < 0 {
		t.Fatalf("no %q after %q", end, start)
	}
	return text[at : at+len(start)+until]
}

// TestEntriesAreForTheReleases holds each entry to a range of versions, and the ranges to what Wire's
// release manifests name.
func TestEntriesAreForTheReleases(t *testing.T) {
	t.Parallel()
	for _, entry := range overlay(t).Charts {
		if entry.For == "" {
			t.Errorf("entry for %s does not say for which versions it is", entry.Name)
		}
	}
	manifestFiles, err := filepath.Glob("../../../shared/wire-builds/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(manifestFiles) == 0 {
		t.Skip("Wire's release manifests are not here")
	}
	for _, file := range manifestFiles {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		release, err := manifests.Read(file, data)
		if err != nil {
			t.Fatal(err)
		}
		if release, err = manifests.Lay(release, overlay(t), true); err != nil {
			t.Fatal(err)
		}
		for _, chart := range release.Charts {
			for _, misfit := range chart.Misfits(chart.Version) {
				t.Errorf("%s: %s %s is not in %s", filepath.Base(file), chart.Name, chart.Version, misfit.For)
			}
		}
	}
}
