package manifests

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/schema/schematest"
)

func digestOf(name string) Digest { return DigestOf([]byte(name)) }

// someLock is a small lock that uses every field: a chart, an image of two
// platforms, one of a single manifest that shares a layer, two files, and what
// is left out. It is unsorted.
func someLock(t *testing.T) *Lock {
	t.Helper()
	ref := func(s string) ImageRef {
		r, err := ParseImageRef(s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	day := func(s string) Date {
		d, err := ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	amd64, arm := Platform{OS: "linux", Architecture: "amd64"}, Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	blob := func(name, mediaType, repository string, size int64) Content {
		return Content{Digest: digestOf(name), Size: size, MediaType: mediaType, Repository: repository}
	}
	const layer, config = "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.config.v1+json"
	return &Lock{
		APIVersion: APIVersion, Kind: KindLock,
		Release: LockedRelease{
			Name: "wire", Version: "2026.1", Cycle: "2026-H1", Date: day("2026-03-31"), Sequence: 7, Expires: day("2027-03-31"),
			UpgradeFrom: &LockedUpgradeFrom{Range: ">=5.28.0 <5.30.0", Skip: []LockedSkip{{Version: "5.29.0", Reason: "broken & <gone>"}}},
			Profile:     "default", Platforms: []Platform{amd64, arm},
		},
		Charts: []LockedChart{
			{Name: "sftd", Version: "0.145.0", Path: "charts/sftd-0.145.0.tgz",
				Content: Content{Digest: digestOf("sftd"), Size: 9, URL: "charts/sftd.tgz"}},
			{Name: "brig", Version: "5.30.9", Repo: "https://a.example/charts", Path: "charts/brig-5.30.9.tgz", App: "5.30.9",
				Meta:    &ChartMeta{Commit: "7a60d8d"},
				Content: Content{Digest: digestOf("brig"), Size: 8, URL: "https://a.example/charts/brig-5.30.9.tgz"}},
		},
		Images: []LockedImage{
			{Name: ref("quay.io/wire/brig:5.30.9"), Digest: digestOf("index"), MediaType: OCIIndex, Size: 100,
				Manifests: []LockedManifest{
					{Platform: amd64, Digest: digestOf("m1"), Config: digestOf("c1"), Layers: []Digest{digestOf("l1"), digestOf("l2")}},
					{Platform: arm, Digest: digestOf("m2"), Config: digestOf("c2"), Layers: []Digest{digestOf("l3")}},
				},
				From: []Origin{{List: "images, group system"},
					{Chart: "brig", Template: "brig/templates/d.yaml", Object: "Deployment/brig", Field: "spec.containers[0].image"}}},
			{Name: ref("docker.io/library/busybox:1"), Digest: digestOf("m3"), MediaType: DockerManifest, Size: 50,
				Manifests: []LockedManifest{{Platform: amd64, Digest: digestOf("m3"), Config: digestOf("c3"), Layers: []Digest{digestOf("l1")}}},
				From:      []Origin{{Chart: "sftd"}}},
		},
		Blobs: []Content{
			blob("l1", layer, "quay.io/wire/brig", 1000), blob("l2", layer, "quay.io/wire/brig", 2000), blob("l3", layer, "quay.io/wire/brig", 3000),
			blob("c1", config, "quay.io/wire/brig", 11), blob("c2", config, "quay.io/wire/brig", 12),
			blob("c3", config, "docker.io/library/busybox", 13),
			blob("m1", OCIManifest, "quay.io/wire/brig", 51), blob("m2", OCIManifest, "quay.io/wire/brig", 52),
			blob("m3", DockerManifest, "docker.io/library/busybox", 50), blob("index", OCIIndex, "quay.io/wire/brig", 100),
		},
		Files: []LockedFile{
			{Path: "values/brig.yaml", Mode: 0o644, Content: Content{Digest: digestOf("v"), Size: 0, URL: "values/brig.yaml"}},
			{Path: "files/kubelet", Mode: 0o755, Content: Content{Digest: digestOf("k"), Size: 7, MediaType: "application/octet-stream",
				URL: "https://a.example/kubelet"}},
		},
		LeftOut: []Omission{
			{What: "chart inbucket", Reason: "excluded by profile default"},
			{What: "a.io/x-integration:1", Reason: "tests", Origin: Origin{Chart: "brig"}},
		},
	}
}

func encoded(t *testing.T, l *Lock) []byte {
	t.Helper()
	data, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestLockRoundTripIsByteIdentical(t *testing.T) {
	t.Parallel()
	least := &Lock{APIVersion: APIVersion, Kind: KindLock,
		Release: LockedRelease{Name: "a", Version: "1", Date: someLock(t).Release.Date,
			Platforms: []Platform{{OS: "linux", Architecture: "amd64"}}}}
	empty := *least
	empty.Charts, empty.Images, empty.Blobs, empty.Files, empty.LeftOut = []LockedChart{}, []LockedImage{}, []Content{}, []LockedFile{},
		[]Omission{}
	for name, lock := range map[string]*Lock{"whole": someLock(t), "nothing but a name": least, "empty lists": &empty} {
		first := encoded(t, lock)
		read, err := ReadLock("island.lock.json", first)
		if err != nil {
			t.Errorf("%s: %v", name, told(err))
			continue
		}
		if second := encoded(t, read); !bytes.Equal(first, second) {
			t.Errorf("%s: written\n%s\nread and written again\n%s", name, first, second)
		}
	}
}

func TestEncodeSorts(t *testing.T) {
	t.Parallel()
	want := encoded(t, someLock(t))
	turned := someLock(t)
	slices.Reverse(turned.Charts)
	slices.Reverse(turned.Images)
	slices.Reverse(turned.Images[0].From)
	slices.Reverse(turned.Images[1].From)
	slices.Reverse(turned.Blobs)
	slices.Reverse(turned.Files)
	slices.Reverse(turned.LeftOut)
	if got := encoded(t, turned); !bytes.Equal(got, want) {
		t.Errorf("another order gives other bytes:\n%s\n%s", got, want)
	}
	if turned.Blobs[0].MediaType != OCIIndex || !IsManifest(turned.Blobs[1].MediaType) || !IsManifest(turned.Blobs[3].MediaType) ||
		IsManifest(turned.Blobs[4].MediaType) {
		t.Error("blobs do not come as indexes, manifests, all else")
	}
	for _, part := range []string{
		"broken & <gone>", `
  "release": {
`, `"platforms": [
      "linux/amd64",
      "linux/arm/v7"`, `"date": "2026-03-31"`, `"mode": 493`,
	} {
		if !bytes.Contains(want, []byte(part)) {
			t.Errorf("the lock has no %q:\n%s", part, want)
		}
	}
	if !bytes.HasSuffix(want, []byte("\n}\n")) {
		t.Error("the lock does not end with a line break")
	}
}

func TestReadLockFlaws(t *testing.T) {
	t.Parallel()
	const anew = " | write it anew with island resolve"
	whole := string(encoded(t, someLock(t)))
	line := func(part string) int { return strings.Count(whole[:strings.Index(whole, part)], "\n") + 1 }
	for _, test := range []struct{ name, old, new, want string }{
		{"unknown field", `"sequence": 7`, `"sequnce": 7`,
			fmt.Sprintf("l.json:%d:5: release.sequnce: unknown field", line(`"sequence"`)) + knownIn[LockedRelease]("sequence")},
		{"field in other letters", `"kind"`, `"Kind"`, "l.json:3:3: Kind: unknown field" + knownIn[Lock]("kind")},
		{"duplicate field", `"kind": "Lock",`, `"kind": "Lock", "kind": "Lock",`, "l.json:3:19: kind: duplicate key, first given on line 3"},
		{"wrong type", `"sequence": 7`, `"sequence": "7"`,
			fmt.Sprintf(`l.json:%d:17: release.sequence: wants a whole number that is not negative, got a string "7" | write it without quotes`,
				line(`"sequence"`))},
		{"fraction of a byte", `"size": 100,`, `"size": 100.5,`,
			fmt.Sprintf(`l.json:%d:15: images[1].size: wants a whole number, got a number "100.5"`, line(`"size": 100,`))},
		{"size beyond 64 bits", `"size": 100,`, `"size": 9223372036854775808,`,
			fmt.Sprintf(`l.json:%d:15: images[1].size: wants a whole number, got a number "9223372036854775808"`, line(`"size": 100,`))},
		{"bad digest", string(digestOf("c1")), "sha256:12",
			fmt.Sprintf(`l.json:%d:21: images[1].manifests[0].config: "sha256:12" is not a digest of the form sha256:<64 lowercase hex digits>`,
				line(string(digestOf("c1"))))},
		{"bad date", "2026-03-31", "2026-03-32",
			fmt.Sprintf(`l.json:%d:13: release.date: "2026-03-32" is not a date such as 2026-03-31`, line("2026-03-31"))},
		{"bad platform", "linux/arm/v7", "arm",
			fmt.Sprintf(`l.json:%d:7: release.platforms[1]: "arm" is not a platform such as linux/amd64`, line("linux/arm/v7"))},
		{"bad path", `"charts/brig-5.30.9.tgz"`, `"../brig.tgz"`,
			fmt.Sprintf(`l.json:%d:15: charts[0].path: "../brig.tgz" is not a clean relative path`, line(`"charts/brig-5.30.9.tgz"`))},
		{"image without tag and digest", "docker.io/library/busybox:1\"", "docker.io/library/busybox\"",
			fmt.Sprintf("l.json:%d:15: images[0].name: docker.io/library/busybox: image has neither tag nor digest",
				line("docker.io/library/busybox:1"))},
		{"another version", `"island/v1"`, `"island/v2"`, `l.json: wants a Lock of island/v1, got "Lock" of "island/v2"` + anew},
		{"another version with fields of the future", `"apiVersion": "island/v1",`, `"apiVersion": "island/v2", "fleet": 1,`,
			`l.json: wants a Lock of island/v1, got "Lock" of "island/v2"` + anew},
		{"another kind", `"kind": "Lock"`, `"kind": "Release"`, `l.json: wants a Lock of island/v1, got "Release" of "island/v1"` + anew},
		{"comma too much", `"kind": "Lock",`, `"kind": "Lock",,`,
			"l.json:3:18: not valid JSON: invalid character ',' looking for beginning of object key string"},
		{"contradiction", `"size": 100,`, `"size": 101,`,
			fmt.Sprintf("l.json: image quay.io/wire/brig:5.30.9: its manifest %s is not among the blobs as described | was it edited by hand? "+
				"write it anew with island resolve", digestOf("index"))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(whole, test.old) {
				t.Fatalf("the lock has no %q to change:\n%s", test.old, whole)
			}
			_, err := ReadLock("l.json", []byte(strings.Replace(whole, test.old, test.new, 1)))
			expect(t, err, test.want)
		})
	}
	for _, test := range []struct{ name, doc, want string }{
		{"empty", "", "l.json:1:1: JSON document ends too early" + cutShortHint},
		{"empty object", "{}", `l.json: wants a Lock of island/v1, got "" of ""` + anew},
		{"cut short", whole[:len(whole)-3], fmt.Sprintf("l.json:%d:4: JSON document ends too early"+cutShortHint, strings.Count(whole, "\n")-1)},
		{"followed by a bracket", whole + "}", fmt.Sprintf("l.json:%d:1: not valid JSON: invalid character '}' after top-level value",
			strings.Count(whole, "\n")+1)},
		{"followed by another", whole + whole, fmt.Sprintf("l.json:%d:1: not valid JSON: invalid character '{' after top-level value",
			strings.Count(whole, "\n")+1)},
		{"yaml", "apiVersion: island/v1\nkind: Lock\n", "l.json:1:1: not valid JSON: invalid character 'a' looking for beginning of value"},
		{"too large", strings.Repeat(" ", MaxLockBytes+1), "l.json: lock is larger than 64.0 MiB"},
		{"too many values", `{"release": [` + strings.Repeat("1,", maxDocumentNodes) + "1]}",
			fmt.Sprintf("l.json:1:%d: document has more than %d fields and values", 14+2*(maxDocumentNodes-3), maxDocumentNodes)},
		{"deep", `{"release": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}",
			"l.json:1:77: document is nested deeper than 64 levels"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadLock("l.json", []byte(test.doc))
			expect(t, err, test.want)
		})
	}
}

// layerByURL has a lock's layers come from the web.
func layerByURL(l *Lock, mediaType string) {
	for i := range l.Blobs[:3] {
		l.Blobs[i].Repository, l.Blobs[i].URL, l.Blobs[i].MediaType = "", "https://a.example/layer", mediaType
	}
}

func TestLockCheck(t *testing.T) {
	t.Parallel()
	if err := someLock(t).Check(); err != nil {
		t.Fatal(err)
	}
	image := func(l *Lock) *LockedImage { return &l.Images[0] }
	for _, test := range []struct {
		name   string
		change func(l *Lock)
		want   string
	}{
		{"no release name", func(l *Lock) { l.Release.Name = "" }, "no usable name and version"},
		{"release name that is no label", func(l *Lock) { l.Release.Name = "a/b" }, "no usable name and version"},
		{"no release version", func(l *Lock) { l.Release.Version = "" }, "no usable name and version"},
		{"release version that leaves the folder", func(l *Lock) { l.Release.Version = "../1" }, "no usable name and version"},
		{"no date", func(l *Lock) { l.Release.Date = Date{} }, "no date or no platform"},
		{"no platform", func(l *Lock) { l.Release.Platforms = nil }, "no date or no platform"},
		{"empty platform", func(l *Lock) { l.Release.Platforms[1] = Platform{} }, "no date or no platform"},
		{"blob twice", func(l *Lock) { l.Blobs = append(l.Blobs, l.Blobs[0]) }, "listed twice"},
		{"blob without a digest", func(l *Lock) { l.Blobs[0].Digest = "" }, "no digest"},
		{"blob without a repository", func(l *Lock) { l.Blobs[0].Repository, l.Blobs[0].URL = "", "https://a.example" }, "no repository"},
		{"blob from nowhere", func(l *Lock) { l.Blobs[0].Repository = "" }, "wants one of repository and url"},
		{"blob from two places", func(l *Lock) { l.Blobs[0].URL = "https://a.example" }, "wants one of repository and url"},
		{"blob of no size", func(l *Lock) { l.Blobs[0].Size = 0 }, "has size 0"},
		{"blob of negative size", func(l *Lock) { l.Blobs[0].Size = -1 }, "has size -1"},
		{"image without a name", func(l *Lock) { image(l).Name = ImageRef{} }, "no name"},
		{"image twice", func(l *Lock) { l.Images = append(l.Images, *image(l)) }, "listed twice"},
		{"image that is no blob", func(l *Lock) { image(l).Digest = digestOf("x") }, "not among the blobs as described"},
		{"image of another size than its blob", func(l *Lock) { image(l).Size++ }, "not among the blobs as described"},
		{"image of another type than its blob", func(l *Lock) { image(l).MediaType = OCIManifest }, "not among the blobs as described"},
		{"image that is a layer", func(l *Lock) {
			image(l).Digest, image(l).Size, image(l).MediaType = l.Blobs[0].Digest, l.Blobs[0].Size, l.Blobs[0].MediaType
		}, "neither an index nor a manifest"},
		{"single manifest that is not the image", func(l *Lock) { l.Images[1].Manifests[0].Digest = digestOf("m1") }, "is not its manifest"},
		{"image without manifests", func(l *Lock) { image(l).Manifests = nil }, "no manifest for any platform"},
		{"manifest without a platform", func(l *Lock) { image(l).Manifests[0].Platform = Platform{} }, "has no platform"},
		{"manifest that is not listed", func(l *Lock) { image(l).Manifests[0].Digest = digestOf("x") }, "is not listed"},
		{"manifest that is a layer", func(l *Lock) { image(l).Manifests[0].Digest = digestOf("l1") }, "is no manifest"},
		{"config that is not listed", func(l *Lock) { image(l).Manifests[1].Config = digestOf("x") }, "is not listed"},
		{"no config", func(l *Lock) { image(l).Manifests[1].Config = "" }, "is not listed"},
		{"layer that is not listed", func(l *Lock) { image(l).Manifests[0].Layers[1] = digestOf("x") }, "is not listed"},
		{"format that is not said", func(l *Lock) { l.Format = 1 }, "format 1"},
		{"later format", func(l *Lock) { l.Format = 3 }, "format 3"},
		{"negative format", func(l *Lock) { l.Format = -2 }, "format -2"},
		{"version of Windows in format 1", func(l *Lock) {
			l.Release.Platforms[0] = Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348"}
		}, "a platform with a version needs format 2"},
		{"manifest with a version in format 1", func(l *Lock) { image(l).Manifests[0].Platform.OSVersion = "10.0.20348.1" }, "needs format 2"},
		{"artifact in format 1", func(l *Lock) { image(l).Artifact = true }, "needs format 2"},
		{"artifact of an image in format 1", func(l *Lock) { image(l).Manifests[1].ArtifactType = "x" }, "needs format 2"},
		{"index in the index in format 1", func(l *Lock) { image(l).Indexes = []Digest{image(l).Digest} }, "needs format 2"},
		{"layer by URL in format 1", func(l *Lock) {
			l.Blobs[0].Repository, l.Blobs[0].URL = "", "https://a.example/layer"
		}, "needs format 2"},
		{"layer by URL of no type", func(l *Lock) { l.Format = 2; layerByURL(l, "") }, `of type "" has no repository`},
		{"layer by URL that is a chart", func(l *Lock) { l.Format = 2; layerByURL(l, ChartMediaType) }, "has no repository"},
		{"empty blob in format 1", func(l *Lock) { l.Blobs[0].Digest, l.Blobs[0].Size = EmptyDigest, 0 }, "needs format 2"},
		{"index that is none", func(l *Lock) { l.Format, image(l).Indexes = 2, []Digest{digestOf("m1")} }, "no index within its index"},
		{"index that is not listed", func(l *Lock) { l.Format, image(l).Indexes = 2, []Digest{digestOf("x")} }, "no index within its index"},
		{"index within a manifest", func(l *Lock) { l.Format, l.Images[1].Indexes = 2, []Digest{digestOf("index")} },
			"no index within its index"},
		{"chart without a name", func(l *Lock) { l.Charts[0].Name = "" }, "no name or no version"},
		{"chart without a version", func(l *Lock) { l.Charts[0].Version = "" }, "no name or no version"},
		{"chart elsewhere", func(l *Lock) { l.Charts[0].Path = "files/x.tgz" }, "not below charts/"},
		{"chart without a digest", func(l *Lock) { l.Charts[0].Content.Digest = "" }, "no digest"},
		{"chart without content", func(l *Lock) { l.Charts[0].Content.URL = "" }, "wants one of repository and url"},
		{"chart of negative size", func(l *Lock) { l.Charts[0].Content.Size = -1 }, "has size -1"},
		{"two charts in one place", func(l *Lock) { l.Charts[0].Path = l.Charts[1].Path }, "listed twice"},
		{"file elsewhere", func(l *Lock) { l.Files[0].Path = "tools/island" }, "not below files/ or values/"},
		{"file without a path", func(l *Lock) { l.Files[0].Path = "" }, "not below files/ or values/"},
		{"two files in one place", func(l *Lock) { l.Files[0].Path = l.Files[1].Path }, "listed twice"},
		{"set-user-id file", func(l *Lock) { l.Files[0].Mode = 0o4755 }, "more than permission bits"},
		{"file without content", func(l *Lock) { l.Files[0].Content = Content{} }, "no digest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			lock := someLock(t)
			test.change(lock)
			if err := lock.Check(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestLockOfFormat2(t *testing.T) {
	t.Parallel()
	lock := someLock(t)
	image := &lock.Images[0]
	image.Manifests[1].Platform, image.Manifests[1].ArtifactType = Platform{}, "application/vnd.example"
	image.Manifests[0].Platform.OSVersion, image.Manifests[0].Platform.OS = "10.0.20348.1", "windows"
	image.Indexes = []Digest{digestOf("inner")}
	lock.Images[1].Artifact, lock.Images[1].Manifests[0].Platform = true, Platform{}
	lock.Blobs = append(lock.Blobs, Content{Digest: digestOf("inner"), Size: 7, MediaType: OCIIndex, Repository: "quay.io/wire/brig"},
		Content{Digest: EmptyDigest, Repository: "quay.io/wire/brig"})
	lock.NeedFormat(0)
	if lock.BundleFormat() != 2 {
		t.Errorf("format %d", lock.BundleFormat())
	}
	first := encoded(t, lock)
	read, err := ReadLock("l.json", first)
	if err != nil {
		t.Fatal(told(err))
	}
	if second := encoded(t, read); !bytes.Equal(first, second) {
		t.Errorf("written\n%s\nread and written again\n%s", first, second)
	}
	if err := validate(t, schematest.Compile(t, schemaFile(lockSchema)), string(first)); err != nil {
		t.Errorf("the schema refuses it: %v", err)
	}
	usual := someLock(t)
	if usual.NeedFormat(1); usual.Format != 0 || usual.BundleFormat() != 1 {
		t.Errorf("a usual lock says format %d", usual.Format)
	}
}

func FuzzReadLock(f *testing.F) {
	f.Add([]byte(`{"apiVersion": "island/v1", "kind": "Lock",
		"release": {"name": "a", "version": "1", "date": "2026-03-31", "sequence": 0, "platforms": ["linux/amd64"]}}`))
	f.Add([]byte(`{"apiVersion": "island/v1", "kind": "Lock",
		"release": {"name": "a", "version": "1", "date": "2026-03-31", "platforms": ["linux/amd64"]},
		"files": [{"path": "files/a", "mode": 420,
			"content": {"digest": "` + string(digestOf("a")) + `", "size": 1, "url": "a"}}]}`))
	f.Add([]byte(`{"kind": "Lock"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		lock, err := ReadLock("l.json", data)
		if err != nil {
			if strings.HasPrefix(told(err)[0], "unexplained") {
				t.Errorf("an error without a place: %v", err)
			}
			return
		}
		first, err := lock.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadLock("l.json", first)
		if err != nil {
			t.Fatalf("what was written is not read again: %v\n%s", err, first)
		}
		second, err := again.Encode()
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("%v: written\n%s\nand again\n%s", err, first, second)
		}
	})
}
