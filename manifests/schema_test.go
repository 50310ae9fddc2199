package manifests

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/islandbundle/island/manifests/schema"
	"github.com/islandbundle/island/manifests/schema/schematest"
)

// The schemas are made from the code: structure from the types, descriptions
// from their comments, patterns from the very expressions that the code uses.
const (
	releaseSchema = "release.schema.json"
	lockSchema    = "lock.schema.json"
	patchSchema   = "patch.schema.json"
)

type object = schema.Object

// Patterns of what the code checks by other means than a regular expression;
// TestSchemaPatternsAgreeWithTheCode holds them to it.
const (
	// semver.org, "Is there a suggested regular expression", with an optional v.
	versionPattern = `^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
		`(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?` +
		`(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$`
	digestPattern   = `^sha256:[0-9a-f]{64}$`
	hexPattern      = `^[0-9a-f]{64}$`
	platformPattern = `^([a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*){1,2}|windows(/[a-z0-9][a-z0-9._-]*){1,2}:` +
		`[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,5}(\.[0-9]{1,10})?)$`
	datePattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	// Printable ASCII without space, backslash and what no name has on Windows.
	pathPattern = `^[!#-)+-9;=@-\[\]-{}~]+$`
	// An empty segment, one that ends with a dot, and the devices of Windows.
	pathFaults = `(^|/)(/|$)|\.(/|$)|(^|/)([Cc][Oo][Nn]([Ii][Nn]\$|[Oo][Uu][Tt]\$)?|[Pp][Rr][Nn]|[Aa][Uu][Xx]|[Nn][Uu][Ll]|` +
		`[Cc][Ll][Oo][Cc][Kk]\$|([Cc][Oo][Mm]|[Ll][Pp][Tt])[0-9])(\.|/|$)`
)

func pathBelow(folder string) object {
	return object{"type": "string", "pattern": pathPattern, "not": object{"pattern": pathFaults}, "minLength": 1,
		"maxLength": MaxEntryPath - len(folder)}
}

var notEmpty = object{"minLength": 1}

// rules are what a field's type alone does not say.
var rules = map[string]object{
	"Release.apiVersion":       {"const": APIVersion},
	"Release.kind":             {"enum": []string{KindRelease, KindOverlay}},
	"Release.platforms":        {"minItems": 1, "uniqueItems": true},
	"Metadata.name":            {"pattern": releaseName.String()},
	"Metadata.version":         {"pattern": releaseVersion.String()},
	"Skip.version":             notEmpty,
	"Skip.reason":              notEmpty,
	"Chart.name":               {"pattern": chartName.String()},
	"Chart.version":            {"pattern": versionPattern},
	"Image.name":               notEmpty,
	"File.url":                 notEmpty,
	"File.sha256":              {"pattern": hexPattern},
	"File.destination":         pathBelow("files/"),
	"File.mode":                {"pattern": fileMode.String(), "default": "0644"},
	"ValuesFolder.path":        notEmpty,
	"ValuesFolder.destination": pathBelow("values/"),
	"Allowance.image":          notEmpty,
	"Allowance.reason":         notEmpty,
	"ImagePattern.pattern":     notEmpty,
	"ImagePattern.reason":      notEmpty,
	"buildJSON.version":        {"pattern": releaseVersion.String()},
	"buildJSON.helmCharts":     {"minProperties": 1, "propertyNames": object{"pattern": chartName.String()}},
	"buildChart.repo":          notEmpty,
	"buildChart.version":       {"pattern": versionPattern},

	"Patch.apiVersion":       {"const": APIVersion},
	"Patch.kind":             {"const": KindPatch},
	"PatchMetadata.id":       {"pattern": patchID.String()},
	"PatchMetadata.severity": {"enum": severities},
	"Text.en":                {"maxLength": maxPatchText},
	"Text.de":                {"maxLength": maxPatchText},
	"Vulnerability.id":       {"pattern": vulnerabilityID.String()},
	"CVSS.score":             {"minimum": 0, "maximum": 10},
	"CVSS.vector":            {"pattern": cvssVector.String()},
	"Applicability.release":  {"pattern": releaseName.String()},
	"Applicability.versions": notEmpty,
	"Becomes.version":        {"pattern": releaseVersion.String()},
	"Changes":                {"minProperties": 1},
	"ImageOverride.image":    notEmpty,
	"ImageOverride.tag":      {"pattern": imageTag.String()},
	"ValuesPath.chart":       {"pattern": chartName.String()},
	"ValuesPath.path":        {"pattern": valuesPath.String()},

	"Lock.apiVersion":         {"const": APIVersion},
	"Lock.kind":               {"const": KindLock},
	"Lock.blobs":              {"items": object{"$ref": "#/$defs/Content", "required": []string{"repository"}}},
	"LockedRelease.name":      {"pattern": releaseName.String()},
	"LockedRelease.version":   {"pattern": releaseVersion.String()},
	"LockedRelease.platforms": {"type": "array", "minItems": 1},
	"LockedChart.name":        notEmpty,
	"LockedChart.version":     notEmpty,
	"LockedChart.path":        {"pattern": "^charts/"},
	"LockedFile.path":         {"pattern": "^(files|values)/"},
	"LockedFile.mode":         {"maximum": 0o777},
	"LockedImage.mediaType":   {"enum": []string{OCIIndex, OCIManifest, DockerList, DockerManifest}},
	"LockedImage.manifests":   {"type": "array"},
	"Lock.format":             {"const": MaxFormat},
	"Content.size":            {"minimum": 0},
	"Content":                 {"oneOf": []object{{"required": []string{"repository"}}, {"required": []string{"url"}}}},
}

// required are the fields without which the documents that people write make
// no sense. In a lock it is every field that is always written.
var required = map[string][]string{
	"Skip": {"version", "reason"}, "Upgrade": {"from", "to"}, "Chart": {"name"}, "Image": {"name"}, "File": {"url", "sha256", "destination"},
	"ValuesFolder": {"path"},
	"Allowance":    {"image", "reason"}, "ImagePattern": {"pattern", "reason"}, "buildJSON": {"helmCharts"}, "buildChart": {"repo", "version"},
	"Patch": {"apiVersion", "kind", "metadata", "appliesTo", "changes"}, "PatchMetadata": {"id", "date", "severity", "summary"},
	"Vulnerability": {"id"}, "CVSS": {"score"}, "Applicability": {"release", "versions"}, "ImageOverride": {"image"},
	"ValuesPath": {"chart", "path"},
}

// writer makes definitions of this package's types. Of what the program itself
// writes, every field that is not omitted stands there.
func writer(comments schema.Comments, written bool) *schema.Writer {
	must := required
	if written {
		must = nil // what people may leave out, the program does not
	}
	return &schema.Writer{
		Comments: comments, Rules: rules, Required: must, Written: written, NullLists: written,
		Named: map[reflect.Type]object{
			reflect.TypeFor[Date]():      {"type": "string", "format": "date", "pattern": datePattern},
			reflect.TypeFor[Digest]():    {"type": "string", "pattern": digestPattern},
			reflect.TypeFor[Platform]():  {"type": "string", "pattern": platformPattern},
			reflect.TypeFor[ImageRef]():  {"type": "string", "pattern": `^[^/\s]+/[^\s]+[:@][^\s]+$`},
			reflect.TypeFor[EntryPath](): pathBelow(""),
			reflect.TypeFor[Severity]():  {"type": "string"},
		},
		Inline: func(t reflect.Type) object {
			switch {
			case t == reflect.TypeFor[Sequence]():
				return object{"type": "integer", "minimum": 0, "maximum": uint64(MaxSequence)}
			case t == reflect.TypeFor[Bytes]():
				return object{"type": "integer", "minimum": 0, "maximum": schema.MaxInt64}
			case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
				return object{"type": "integer", "maximum": schema.MaxInt64}
			}
			return nil
		},
	}
}

// makeReleaseSchema covers the documents that people write and Wire's own.
func makeReleaseSchema(comments schema.Comments) object {
	w := writer(comments, false)
	release, build := w.Of(reflect.TypeFor[Release]()), w.Of(reflect.TypeFor[buildJSON]())
	kind := func(kind, title string, more object) object {
		properties := object{"kind": object{"const": kind}}
		maps.Copy(properties, more)
		return object{"title": title, "$ref": release["$ref"], "required": []string{"apiVersion", "kind"}, "properties": properties}
	}
	wholeChart := object{"oneOf": []object{
		{"required": []string{"repo", "version"}, "not": object{"required": []string{"path"}}},
		{"required": []string{"path"}, "not": object{"required": []string{"repo"}}},
	}}
	build["title"] = "build.json of wireapp/wire-builds"
	return w.Document(releaseSchema, "A release of island, an overlay, or Wire's build.json",
		"Made from the types in package manifests; docs/releases.md explains each field. null is not accepted here: leave the field out.",
		object{"oneOf": []object{
			kind(KindRelease, "Release", object{"charts": object{"items": wholeChart}}),
			kind(KindOverlay, "Overlay", nil),
			build,
		}})
}

func makePatchSchema(comments schema.Comments) object {
	w := writer(comments, false)
	return w.Document(patchSchema, "A patch of island",
		"Made from the types in package manifests; docs/patches.md explains each field. null is not accepted here: leave the field out.",
		w.Of(reflect.TypeFor[Patch]()))
}

func makeLockSchema(comments schema.Comments) object {
	w := writer(comments, true)
	return w.Document(lockSchema, "island.lock.json",
		"Made from the types in package manifests. That blobs, images and paths agree with each other is checked by the program.",
		w.Of(reflect.TypeFor[Lock]()))
}

func schemaFile(name string) string { return filepath.Join("..", "docs", name) }

func TestSchemasAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	comments := schema.Comments{}
	if err := comments.Read(reflect.TypeFor[Release](), "."); err != nil {
		t.Fatal(err)
	}
	release, lock, patch := makeReleaseSchema(comments), makeLockSchema(comments), makePatchSchema(comments)
	schematest.Published(t, schemaFile(releaseSchema), release)
	schematest.Published(t, schemaFile(lockSchema), lock)
	schematest.Published(t, schemaFile(patchSchema), patch)
	schematest.RulesUsed(t, rules, required, release, lock, patch)
}

func validate(t *testing.T, schema *jsonschema.Schema, doc string) error {
	t.Helper()
	var value any
	if err := DecodeStrict("doc", []byte(doc), &value); err != nil {
		t.Fatal(told(err))
	}
	return schema.Validate(value)
}

func TestReleaseSchemaAcceptsWhatTheCodeAccepts(t *testing.T) {
	t.Parallel()
	schema := schematest.Compile(t, schemaFile(releaseSchema))
	for name, doc := range map[string]string{
		"whole release": wholeRelease,
		"whole overlay": strings.Replace(wholeRelease, "kind: Release", "kind: Overlay", 1),
		"least overlay": "apiVersion: island/v1\nkind: Overlay\n",
		"overlay":       whatBuildJSONLacks,
		"chart by name": "apiVersion: island/v1\nkind: Overlay\ncharts: [{name: brig, values: [a.yaml]}]\n",
		"build.json": `{"version": "1.0.0-144",
			"helmCharts": {"brig": {"repo": "wire", "version": "0.0.45-100017", "meta": {"commit": "a", "x": [1]}}}}`,
		"no version": `{"helmCharts": {"brig": {"repo": "s3://wire", "version": "v1.2.3"}}}`,
		"release json": `{"apiVersion": "island/v1", "kind": "Release", "metadata": {"sequence": 9007199254740991},
			"charts": [{"name": "a", "path": "b", "version": "1.0.0"}]}`,
	} {
		if err := validate(t, schema, doc); err != nil {
			t.Errorf("%s: the schema says %v", name, err)
		}
		_, releaseErr := Read(name, []byte(doc))
		_, overlayErr := ReadOverlay(name, []byte(doc))
		if releaseErr != nil && overlayErr != nil {
			t.Errorf("%s: the code says %v", name, releaseErr)
		}
	}
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "wire-builds", "*.json"))
	for _, name := range append(files, filepath.Join("wireapp", "overlay.yaml")) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, schema, string(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReleaseSchemaRefusesWhatTheCodeRefuses(t *testing.T) {
	t.Parallel()
	schema := schematest.Compile(t, schemaFile(releaseSchema))
	for _, test := range nativeFlaws {
		if !test.structural {
			continue
		}
		doc := strings.Replace(wholeRelease, test.old, test.new, 1)
		if err := validate(t, schema, doc); err == nil {
			t.Errorf("%s: the schema accepts it", test.name)
		}
		if _, err := readAndCheck("f", doc); err == nil {
			t.Errorf("%s: the code accepts it", test.name)
		}
	}
	for name, doc := range map[string]string{
		"build.json without charts":          `{"version": "1"}`,
		"build.json with no chart":           `{"version": "1", "helmCharts": {}}`,
		"build.json with an empty version":   `{"version": "1", "helmCharts": {"brig": {"repo": "https://a.example", "version": ""}}}`,
		"build.json without a chart version": `{"version": "1", "helmCharts": {"brig": {"repo": "https://a.example"}}}`,
		"build.json without a repository":    `{"version": "1", "helmCharts": {"brig": {"version": "1.2.3"}}}`,
		"build.json with a number":           `{"version": "1", "helmCharts": {"brig": {"repo": "https://a.example", "version": 1.2}}}`,
		"build.json with a field more": `{"version": "1",
			"helmCharts": {"brig": {"repo": "https://a.example", "version": "1.2.3", "sha": ""}}}`,
		"build.json with charts as a list": `{"version": "1", "helmCharts": [{"repo": "https://a.example", "version": "1.2.3"}]}`,
		"build.json with a bad chart name": `{"version": "1", "helmCharts": {"a/b": {"repo": "https://a.example", "version": "1.2.3"}}}`,
		"build.json with a bad version":    `{"version": "a b", "helmCharts": {"brig": {"repo": "https://a.example", "version": "1.2.3"}}}`,
		"both formats in one": `{"apiVersion": "island/v1", "kind": "Release",
			"helmCharts": {"brig": {"repo": "https://a.example", "version": "1.2.3"}}}`,
		"nothing": `{}`,
		"a list":  `[]`,
	} {
		if err := validate(t, schema, doc); err == nil {
			t.Errorf("%s: the schema accepts it", name)
		}
		if _, err := readAndCheck("build.json", doc, whatBuildJSONLacks); err == nil {
			t.Errorf("%s: the code accepts it", name)
		}
	}
}

func TestLockSchemaAgreesWithTheCode(t *testing.T) {
	t.Parallel()
	schema := schematest.Compile(t, schemaFile(lockSchema))
	whole := string(encoded(t, someLock(t)))
	if err := validate(t, schema, whole); err != nil {
		t.Errorf("the schema refuses a good lock: %v", err)
	}
	bare := someLock(t)
	bare.Charts, bare.Images, bare.Blobs, bare.Files, bare.LeftOut = nil, nil, nil, nil, nil
	bare.Release.UpgradeFrom, bare.Release.Expires = nil, Date{}
	if err := validate(t, schema, string(encoded(t, bare))); err != nil {
		t.Errorf("the schema refuses a lock without charts: %v", err)
	}
	for _, test := range []struct{ name, old, new string }{
		{"unknown field", `"sequence": 7`, `"sequence": 7, "sequnce": 7`},
		{"wrong type", `"sequence": 7`, `"sequence": "7"`},
		{"negative sequence", `"sequence": 7`, `"sequence": -7`},
		{"sequence beyond what JSON keeps", `"sequence": 7`, `"sequence": 9007199254740992`},
		{"fraction of a byte", `"size": 100,`, `"size": 100.5,`},
		{"negative size", `"size": 1000,`, `"size": -1000,`},
		{"bad digest", string(digestOf("c1")), "sha256:12"},
		{"no digest", `"digest": "` + string(digestOf("l1")) + `",`, ""},
		{"bad date", `"2026-03-31"`, `"2026-04-31"`},
		{"no date", `"date": "2026-03-31",`, ""},
		{"bad platform", "linux/arm/v7", "arm"},
		{"chart elsewhere", `"charts/brig-5.30.9.tgz"`, `"files/brig.tgz"`},
		{"chart outside", `"charts/brig-5.30.9.tgz"`, `"charts/../../brig.tgz"`},
		{"file elsewhere", `"files/kubelet"`, `"tools/kubelet"`},
		{"set-user-id file", `"mode": 493`, `"mode": 2541`},
		{"image without tag and digest", "docker.io/library/busybox:1\"", "docker.io/library/busybox\""},
		{"image of another type", `"mediaType": "` + OCIIndex + `",` + "\n      \"size\": 100,", `"mediaType": "text/plain",` +
			"\n      \"size\": 100,"},
		{"blob from nowhere", `"repository": "quay.io/wire/brig"`, `"url": "https://a.example/x"`},
		{"chart from two places", `"url": "charts/sftd.tgz"`, `"url": "charts/sftd.tgz", "repository": "x"`},
		{"another version", `"island/v1"`, `"island/v2"`},
		{"another kind", `"kind": "Lock"`, `"kind": "Release"`},
		{"bad name", `"name": "wire"`, `"name": "Wire"`},
	} {
		if !strings.Contains(whole, test.old) {
			t.Errorf("%s: the lock has no %q to change", test.name, test.old)
			continue
		}
		doc := strings.Replace(whole, test.old, test.new, 1)
		if err := validate(t, schema, doc); err == nil {
			t.Errorf("%s: the schema accepts it", test.name)
		}
		if _, err := ReadLock("f", []byte(doc)); err == nil {
			t.Errorf("%s: the code accepts it", test.name)
		}
	}
}

func TestSchemaPatternsAgreeWithTheCode(t *testing.T) {
	t.Parallel()
	path := func(s string) bool {
		return regexp.MustCompile(pathPattern).MatchString(s) && !regexp.MustCompile(pathFaults).MatchString(s) && len(s) <= MaxEntryPath
	}
	matches := func(pattern string) func(string) bool { return regexp.MustCompile(pattern).MatchString }
	for _, test := range []struct {
		what    string
		pattern func(string) bool
		code    func(string) bool
		inputs  string
	}{
		{"chart version", matches(versionPattern),
			func(s string) bool { _, err := semver.StrictNewVersion(strings.TrimPrefix(s, "v")); return err == nil },
			"5.32.0|0.8.0-pre.3472|4.6.2-federation-wireapp.36.2|0.0.45-100017|v1.2.3|1.2|1|1.2.3.4|01.2.3|1.2.3-01|1.2.3-0a|1.2.3-|" +
				"1.2.3+|1.2.3+a.01|1.2.3-a+b|^1.2.3|1.x|latest||1.2.3 |vv1.2.3|1.2.3-a..b|1.2.3-é"},
		{"digest", matches(digestPattern), func(s string) bool { _, err := ParseDigest(s); return err == nil },
			"sha256:" + someHex + "|" + someHex + "|sha256:" + strings.ToUpper(someHex) + "|sha256:|sha256:" + someHex + "0|sha256:" + someHex +
				"\n"},
		{"platform", matches(platformPattern), func(s string) bool { _, err := ParsePlatform(s); return err == nil },
			"linux/amd64|linux/arm/v7|linux|linux/|/amd64|a/b/c/d|Linux/amd64|linux/..|linux/a.b|linux/-a|a//b| /a|linux/amd64\n|" +
				"windows/amd64:10.0.20348|windows/amd64:10.0.20348.1|" +
				"windows/amd64:|windows/amd64:10.0|linux/amd64:10.0.1|windows/amd64/v1:10.0.1|windows:10.0.1/amd64|windows/amd64:10.0.1.2.3"},
		{"path", path, func(s string) bool { _, err := ParseEntryPath(s); return err == nil },
			"a|a/b|a/..b|.a|con|a/CoN.txt/b|conin$|conin|CONOUT$.x|a/com1|com|com11|lpt0.|aux.a|xaux|nul/a|PRN|clock$|" +
				"clock|a:b|a./b|a.|a<b|a>|a?|*|\"|..|.|a/..|../a|a/./b|a//b|/a|a/|a b|a\\b||ä|a\n|~!@#$%^&()[]{}|" +
				"~!@#$%^&*()[]{}|" + strings.Repeat("a", 255) + "|" +
				strings.Repeat("a", 256)},
	} {
		for _, input := range strings.Split(test.inputs, "|") {
			if pattern, code := test.pattern(input), test.code(input); pattern != code {
				t.Errorf("%s %q: the schema says %t, the code %t", test.what, input, pattern, code)
			}
		}
	}
}

var yamlFence = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// The guide's examples are read by the code and the schema, and it names every
// field there is.
func TestGuideIsTrue(t *testing.T) {
	t.Parallel()
	guide, err := fs.ReadFile(os.DirFS(filepath.Join("..", "docs")), "releases.md")
	if err != nil {
		t.Fatal(err)
	}
	schema := schematest.Compile(t, schemaFile(releaseSchema))
	_, example, _ := strings.Cut(string(guide), "## Worked example")
	documents := 0
	for _, match := range yamlFence.FindAllStringSubmatch(string(guide), -1) {
		doc := match[1]
		if !strings.Contains(doc, "apiVersion:") {
			continue // a part of a document
		}
		documents++
		if err := validate(t, schema, doc); err != nil {
			t.Errorf("%v in\n%s", err, doc)
		}
		if strings.Contains(doc, "kind: "+KindOverlay) {
			_, err = ReadOverlay("guide", []byte(doc))
		} else {
			_, err = readAndCheck("guide", doc)
		}
		if err != nil {
			t.Errorf("%q in\n%s", told(err), doc)
		}
	}
	if _, err := ReadOverlay("acme.yaml",
		[]byte(strings.Replace(yamlFence.FindStringSubmatch(example)[1], "5.30.10", "5.30", 1))); err == nil {
		t.Error("the mistake of the worked example is none")
	} else if flaw := strings.Replace(told(err)[0], " | ", "\n", 1); !strings.Contains(example, flaw) {
		t.Errorf("the guide does not show what is told about the mistake of its example:\n%s", flaw)
	}
	if documents < 3 {
		t.Errorf("%d whole documents in the guide", documents)
	}
	for typ, def := range makeReleaseSchema(nil)["$defs"].(object) {
		properties, _ := def.(object)["properties"].(object)
		for field := range properties {
			if !regexp.MustCompile("`([a-zA-Z.]*\\.)?" + field + "`").Match(guide) {
				t.Errorf("the guide does not explain %s.%s", typ, field)
			}
		}
	}
}
