package preflight_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/schema"
	"github.com/islandbundle/island/manifests/schema/schematest"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/site"
	"github.com/islandbundle/island/sizing/site/sitetest"
)

// One document says what a site is, to sizing and to preflight; one schema
// describes it. It is made here, since the ids of checks stand in it.
const siteSchema = "site.schema.json"

var siteSchemaFile = filepath.Join("..", "..", "docs", siteSchema)

// sectionRules are what the types of preflight's section alone do not say.
func sectionRules(t *testing.T) map[string]schema.Object {
	t.Helper()
	checks, err := preflight.AllChecks()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, check := range checks.Checks {
		ids = append(ids, check.ID)
	}
	name := schema.Object{"type": "string", "pattern": site.NamePattern}
	host := schema.Object{"type": "string", "anyOf": []schema.Object{{"pattern": site.NamePattern}, {"format": "ipv6"}}}
	listOf := func(item schema.Object) schema.Object {
		return schema.Object{"items": item, "maxItems": site.MaxList}
	}
	matching := func(pattern string) schema.Object { return schema.Object{"type": "string", "pattern": pattern} }
	port := func(least int) schema.Object { return schema.Object{"minimum": least, "maximum": 65535} }
	return map[string]schema.Object{
		"Section.ntp":             listOf(host),
		"Section.outside":         listOf(host),
		"Section.mailRelays":      listOf(matching(`^.+:[0-9]+$`)),
		"Section.idp":             listOf(matching(`^https?://`)),
		"Section.turn":            {"maxItems": site.MaxList},
		"Section.clusterNetworks": listOf(matching(`^[0-9A-Fa-f:.]+/[0-9]+$`)),
		"Section.paths": {"propertyNames": schema.Object{"enum": site.Roles()},
			"additionalProperties": schema.Object{"type": "array", "items": matching("^/"), "maxItems": site.MaxList}},
		"Section.limits":       {"propertyNames": schema.Object{"enum": ids}},
		"DNS.domain":           name,
		"DNS.names":            listOf(name),
		"DNS.more":             listOf(name),
		"Certificate":          {"oneOf": []schema.Object{{"required": []string{"file"}}, {"required": []string{"address"}}}},
		"LoadBalancer.address": host,
		"LoadBalancer.https":   port(0),
		"LoadBalancer.http":    port(0),
		"TURN.address":         host,
		"TURN.udp":             port(-1),
		"TURN.tcp":             port(-1),
		"TURN.tls":             port(-1),
		"OSRelease.id":         {"minLength": 1},
		"OSRelease.version":    {"minLength": 1},
		"Registry.host":        {"minLength": 1},
		"Registry.path":        {"pattern": "^/"},
		"Waiver.id":            {"enum": ids},
		"Waiver.reason":        {"pattern": `\S`},
	}
}

func TestSiteSchemaIsThatOfTheCode(t *testing.T) {
	comments := schema.Comments{}
	if err := comments.Read(reflect.TypeFor[site.Site](), filepath.Join("..", "site")); err != nil {
		t.Fatal(err)
	}
	rules := sectionRules(t)
	maps.Copy(rules, sitetest.Rules(sizing.SiteNames()))
	required := map[string][]string{
		"DNS": {"domain"}, "LoadBalancer": {"address"}, "TURN": {"address"}, "OSRelease": {"id", "version"},
		"Registry": {"host", "path"}, "Waiver": {"id", "reason"},
	}
	maps.Copy(required, sitetest.Required())
	required["Site"] = []string{"apiVersion", "kind", "name"} // the rest is wanted by what calculates
	w := &schema.Writer{Comments: comments, Inline: func(t reflect.Type) schema.Object { return sitetest.Inline(sizing.SiteNames(), t) },
		Rules: rules, Required: required}
	made := w.Document(siteSchema, "A site that an island is for",
		"What island size and island preflight read; size wants scenario, users and conferences, too. "+
			"Made from the types in package sizing/site; docs/sizing.md and docs/preflight.md explain them.",
		w.Of(reflect.TypeFor[site.Site]()))
	schematest.Published(t, siteSchemaFile, made)
	schematest.RulesUsed(t, rules, required, made)
}

// asJSON returns a document as schemas want it.
func asJSON(t *testing.T, text string) any {
	t.Helper()
	var document map[string]any
	if err := manifests.DecodeStrict("site.yaml", []byte(text), &document); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return schematest.Parse(t, encoded)
}

// TestSiteSchemaAgreesWithTheCode holds the schema of what people write to what
// the code takes.
func TestSiteSchemaAgreesWithTheCode(t *testing.T) {
	compiled := schematest.Compile(t, siteSchemaFile)
	agree := func(text, changed string, codeErr error) {
		t.Helper()
		if schemaErr := compiled.Validate(asJSON(t, text)); (schemaErr == nil) != (codeErr == nil) {
			t.Errorf("%q: the schema says %v, the code %v", changed, schemaErr, codeErr)
		}
	}
	for _, change := range [][2]string{
		{"", ""}, {"users: 2500", "users: 0"}, {"users: 2500", "users: 99999999"}, {"push: C", "push: D"}, {"10x8,2x50", "ten"}, {"10x8,2x50",
			"none"},
		{"videoShare: 80", "videoShare: 101"}, {"14 GB", "14"}, {"name: Example Hospital\n", ""}, {"users: 2500", "user: 2500"},
		{"[web, windows, android]", "[web, web]"}, {"custom-app-on-premises", "moon"}, {"serverCount: 3",
			"servers: [{name: a, memory: 64 GiB, machines: [{name: m, role: minio}]}]"},
		{"serverCount: 3", "servers: [{name: a, machines: [{name: m, role: mongo}]}]"}, {"serverCount: 3", "servers: [{cores: 3}]"},
	} {
		text := strings.Replace(sitetest.Good, change[0], change[1], 1)
		_, err := sizing.ReadSite("site.yaml", []byte(text))
		agree(text, change[1], err)
	}
	for _, gone := range []string{"users: 2500\n", "conferences: 10x8,2x50\n", "scenario: custom-app-on-premises\n",
		"name: Example Hospital\n", "kind: Site\n"} {
		text := strings.Replace(sitetest.Good, gone, "", 1)
		_, err := site.Read("site.yaml", []byte(text), sizing.SiteNames())
		agree(text, "without "+gone, err)
	}
	for _, section := range []string{
		`{}`, `[]`, `{dsn: {}}`, `{name: x}`, `{push: C}`,
		`{dns: {domain: wire.example, server: 10.0.0.2, names: [webapp], more: [turn.wire.example]}}`, `{dns: {}}`, `{dns: {domain: ../etc}}`,
		`{dns: {domain: wire.example, federation: true}}`, `{dns: {domain: wire.example, more: ["a b"]}}`,
		`{dns: {domain: wire.example, names: ["*"]}}`,
		`{certificate: {file: wire.pem, keyFile: wire.key}}`, `{certificate: {file: wire.pem, address: "a:443"}}`, `{certificate: {}}`,
		`{caFile: ca.pem}`, `{ntp: [10.0.0.3, "2001:db8::3", ntp.example.org]}`, `{ntp: [-evil]}`, `{ntp: 10.0.0.3}`, `{outside: ["a b"]}`,
		`{mailRelays: ["smtp.example.org:25"]}`, `{mailRelays: [smtp.example.org]}`,
		`{loadBalancer: {address: 10.0.0.9, https: 8443}}`, `{loadBalancer: {https: 443}}`, `{loadBalancer: {address: 10.0.0.9, https: 70000}}`,
		`{turn: [{address: 10.0.0.21, udp: -1}]}`, `{turn: [{address: 10.0.0.21, udp: -2}]}`, `{turn: [{}]}`,
		`{idp: ["https://sso.example.org/metadata"]}`, `{idp: ["file:///etc/passwd"]}`,
		`{os: [{id: ubuntu, version: "22.04"}]}`, `{os: [{id: ubuntu}]}`, `{os: [{id: ubuntu, version: 22.04}]}`,
		`{clusterNetworks: [10.96.0.0/12, "fd00:10:96::/112"]}`, `{clusterNetworks: []}`, `{clusterNetworks: [pods]}`,
		`{clusterNetworks: [10.96.0.0]}`, `{clusterNetworks: 10.96.0.0/12}`,
		`{paths: {cassandra: [/data]}}`, `{paths: {casandra: [/data]}}`, `{paths: {cassandra: [data]}}`,
		`{registry: {host: assethost, path: /var/lib/registry}}`, `{registry: {host: assethost, path: registry}}`,
		`{limits: {time.offset: {warn: 0.2, fail: 1}}}`, `{limits: {time.offset: high}}`,
		`{waivers: [{id: net.speed, host: kubenode1, reason: upgraded in May}]}`,
		`{waivers: [{id: net.speed, reason: " "}]}`, `{waivers: [{reason: x}]}`,
	} {
		text := sitetest.Good + "preflight: " + section + "\n"
		_, err := site.Read("site.yaml", []byte(text), sizing.SiteNames())
		agree(text, section, err)
		if _, again := sizing.ReadSite("site.yaml", []byte(text)); (again == nil) != (err == nil) {
			t.Errorf("%s: sizing says %v, preflight %v", section, again, err)
		}
	}
}

// TestSitesOfTheGuides holds the sites that the guides show to the schema and
// to the code.
func TestSitesOfTheGuides(t *testing.T) {
	compiled := schematest.Compile(t, siteSchemaFile)
	for _, guide := range []string{"sizing.md", "preflight.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", guide))
		if err != nil {
			t.Fatal(err)
		}
		document := regexp.MustCompile("(?s)```yaml\n(apiVersion: island/v1\nkind: Site\n.*?)```").FindSubmatch(text)
		if document == nil {
			t.Errorf("docs/%s shows no site", guide)
			continue
		}
		if err := compiled.Validate(asJSON(t, string(document[1]))); err != nil {
			t.Errorf("the site of docs/%s: %v", guide, err)
		}
		if _, err := site.Read(guide, document[1], sizing.SiteNames()); err != nil {
			t.Errorf("the site of docs/%s: %v", guide, err)
		}
	}
}
