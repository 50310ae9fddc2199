package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goodBundle returns a bundle that verifies with testdata/vectors/sender.pub.
func goodBundle(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "vectors", "good.tar"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// tarHeader returns the first block of a tar archive whose first entry has this
// name, and another block.
func tarHeader(name string) []byte {
	block := make([]byte, 1024)
	copy(block, name)
	copy(block[257:], "ustar\x0000")
	return block
}

// secret stands where a private key has what must not be shown.
const secret = "bm90aGluZyBvZiB0aGlzIG1heSBiZSBzaG93bg"

func pemOf(label string) string {
	return "-----BEGIN " + label + "-----\n" + secret + "\n-----END " + label + "-----\n"
}

// known are files that are recognised as something else than a bundle.
var known = []struct {
	file, content string
	form          form
}{
	{"release.yaml", "# ours\napiVersion: island/v1\nkind: Release\nmetadata: {name: a}\n", aRelease},
	{"release-quoted.yaml", "kind: \"Release\"\n", aRelease},
	{"release-dos.yaml", "\uFEFFapiVersion: island/v1\r\nkind: Release\r\n", aRelease},
	{"release-with-key.yaml", "kind: Release\nnote: |\n" + pemOf("PUBLIC KEY"), aRelease},
	{"build.json", `{"version": "5.28.0", "helmCharts": {"nginz": {}}}`, aRelease},
	{"overlay.yaml", "apiVersion: island/v1\nkind: Overlay\n", anOverlay},
	{"patch.yaml", "apiVersion: island/v1\nkind: Patch\n", aPatch},
	{"dos.yaml", "\xff\xfek\x00i\x00n\x00d\x00", aUTF16},
	{"latin1.yaml", "kind: Release # f\xfcr uns\n", aRelease},
	{"mirrors.yaml", "apiVersion: island/v1\nkind: Mirrors\n", aMirrorsFile},
	{"island.lock.json", `{"apiVersion": "island/v1", "kind": "Lock"`, aLock},
	{"misspelt.lock.json", `{"Kind": "Lock"}`, aLock},
	{"indented.lock.json", "\n  {\"kind\": \"Lock\"}", aLock},
	{"bundle.json", `{"apiVersion":"island/v1","kind":"Bundle","tool":"island"}`, anInventory},
	{"delta.json", `{"apiVersion":"island/v1","kind":"Delta"}`, aDeltaJSON},
	{"state.json", `{"apiVersion":"island/v1","kind":"State"}`, aState},
	{"site.yaml", "apiVersion: island/v1\nkind: Site\n", aSite},
	{"table.yaml", "apiVersion: island/v1\nkind: HardwareTable\n", aTable},
	{"size.json", `{"kind":"SizingReport"}`, aReport},
	{"preflight.json", `{"kind":"PreflightReport"}`, aReport},
	{"hosts.ini", "# site\n[cassandra]\ndb1 ansible_host=10.8.0.4\n", aHostsFile},
	{"inventory", "node7 ansible_host=10.8.0.7 ansible_user=ops\n", aHostsFile},
	{"groups.ini", "a\nb\n\n[store:children]\nx\n", aHostsFile},
	{"survey.json", `{"kind":"Survey"}`, aSurvey},
	{"facts.json", `{"kind":"Facts"}`, aSurvey},
	{"a.sigstore.json", `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`, aSignature},
	{"island.pub", pemOf("PUBLIC KEY"), aPublicKey},
	{"island.key", pemOf("ENCRYPTED SIGSTORE PRIVATE KEY"), aPrivateKey},
	{"plain.key", pemOf("PRIVATE KEY"), aPrivateKey},
	{"ssh.key", pemOf("OPENSSH PRIVATE KEY"), aPrivateKey},
	{"noted.key", "Bag Attributes: none\n" + pemOf("EC PRIVATE KEY"), aPrivateKey},
	{"ca.crt", pemOf("CERTIFICATE"), aCertificate},
	{"b.tar.gz", "\x1f\x8b\x08\x00\x00\x00\x00\x00", aGzip},
	{"b.tar.zst", "\x28\xb5\x2f\xfd\x04\x00", aZstd},
	{"b.tar.xz", "\xfd7zXZ\x00\x00\x04", anXZ},
	{"b.zip", "PK\x03\x04\x14\x00\x00\x00", aZip},
	{"oci.tar", string(tarHeader("oci-layout")), anImages},
	{"podman.tar", string(tarHeader("blobs/sha256/" + strings.Repeat("a", 64))), anImages},
	{"docker.tar", string(tarHeader(strings.Repeat("0", 64) + "/layer.tar")), anImages},
	{"docker-old.tar", string(tarHeader("repositories")), anImages},
	{"hosts.ini", "# ours\n[cassandra]\nc1 ansible_host=10.0.0.1 # rack 1\nc2:2222\n\n[all:vars]\nansible_user = deploy\n", aHostsFile},
	{"ranges.ini", "\uFEFF[minio]\r\nminio[1:4]\r\n; spare\r\n", aHostsFile},
	{"children.ini", "[k8s-cluster:children]\nkube-master\nkube-node\n", aHostsFile},
	{"hosts.yaml", "---\nall:\n  # by role\n  children:\n    etcd:\n      hosts: {e1: }\n", aHostsFile},
	{"group.yaml", "etcd:\n  hosts:\n    e1:\n      ansible_host: 10.0.0.7\n", aHostsFile},
	{"listing.json", `{"_meta": {"hostvars": {"e1": {}}}, "etcd": {"hosts": ["e1"]}}`, aHostsFile},
	{"login.tar", "\n<!DOCTYPE html>\n<html>", aWebPage},
	{"empty.tar", "", nothing},
}

// unknown are files that are like nothing, and may have been a bundle.
func unknown(t testing.TB) map[string][]byte {
	good := goodBundle(t)
	other := bytes.Clone(good)
	other[0] ^= 1
	return map[string][]byte{
		"zeros.tar":       make([]byte, 4096),
		"noise.tar":       []byte("\x80\x02\x91\xff\x00\x13"),
		"other.tar":       tarHeader("README.txt"),
		"folder.tar":      tarHeader("./"),
		"first-byte.tar":  other,
		"front-lost.tar":  good[512:],
		"middle.tar":      good[len(good)/2:],
		"half-header.tar": tarHeader("oci-layout")[:300],
	}
}

func TestRecognise(t *testing.T) {
	t.Parallel()
	for _, test := range known {
		if have := recognise([]byte(test.content)); have != test.form {
			t.Errorf("%s: is %q, want %q", test.file, have, test.form)
		}
	}
	for file, content := range unknown(t) {
		if have := recognise(content); have != notRecognised {
			t.Errorf("%s: is %q, and should not be recognised", file, have)
		}
	}
}

// TestNothingMadeOfABundleIsSomethingElse: whoever cuts or alters a bundle gets
// it refused, and not called a mistake of the person who was given it.
func TestNothingMadeOfABundleIsSomethingElse(t *testing.T) {
	t.Parallel()
	good := goodBundle(t)
	for n := 1; n <= 2048; n++ {
		if have := recognise(good[:n]); have != aBundle {
			t.Fatalf("cut to %d bytes: is %q", n, have)
		}
	}
	for bit := range 512 * 8 {
		bad := bytes.Clone(good[:4096])
		bad[bit/8] ^= 1 << (bit % 8)
		if have := recognise(bad); have != aBundle && have != notRecognised {
			t.Fatalf("bit %d flipped: is %q", bit, have)
		}
	}
	for _, behind := range known {
		if have := recognise([]byte(bundleStart + behind.content)); have != aBundle {
			t.Errorf("%s behind the start of a bundle: is %q", behind.file, have)
		}
	}
}

// TestWhatIsNoDocument: where a document is wanted, what cannot be one is told as what it
// is; what may be one is left to whoever reads it.
func TestWhatIsNoDocument(t *testing.T) {
	t.Parallel()
	inYAML, inJSON, others := []form{aSite}, []form{aSurvey}, []form{aBundle, aHostsFile}
	for _, test := range []struct {
		content string
		wanted  []form
		form    form
	}{
		{"Sehr geehrte Damen und Herren,\nanbei die Liste.\n", inYAML, aText},
		{"name;ip;cores\nr1;10.0.0.1;32\n", inYAML, aText},
		{"users = 300\n", inJSON, aText},
		{"users: 300\n", inJSON, aText},
		{`["r1", "r2"]`, inYAML, aJSON},
		{"users: 300\n", inYAML, notRecognised},
		{"name: Klinik\n\tusers: 300\n", inYAML, notRecognised},
		{"# nothing yet\n---\n", inYAML, notRecognised},
		{"{\"users\": 300", inJSON, notRecognised},
		{"[a] of a template {{ x }}", inYAML, aText},
		{"Sehr geehrte Damen und Herren\n", others, notRecognised},
		{"hosts:\n  - a\n", inYAML, notRecognised},
	} {
		if have := recogniseFor(test.wanted, []byte(test.content)); have != test.form {
			t.Errorf("%q in place of %s: is %q, want %q", test.content, anyOf(test.wanted), have, test.form)
		}
	}
	for _, content := range []string{"ingress:\n  hosts:\n    - a\n", "[a]\nb: [1, 2]\n", "a\nb\n", "key=value\n", "all:\n  enabled: true\n"} {
		if have := recognise([]byte(content)); have != notRecognised {
			t.Errorf("%q: is %q", content, have)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	for _, test := range known {
		f.Add([]byte(test.content))
	}
	f.Add(goodBundle(f)[:1024])
	f.Fuzz(func(t *testing.T, head []byte) {
		recognise(head)
		if have := recognise(append([]byte(bundleStart), head...)); have != aBundle {
			t.Errorf("behind the start of a bundle: is %q", have)
		}
	})
}

// TestEveryFormHasAHint: an error that says what a file is also says what to do
// with it.
func TestEveryFormHasAHint(t *testing.T) {
	t.Parallel()
	forms := []form{aBundle}
	for _, test := range known {
		forms = append(forms, test.form)
	}
	slices.Sort(forms)
	for _, f := range slices.Compact(forms) {
		if f.hint("FILE") == "" {
			t.Errorf("%s: there is no hint", f)
		}
	}
}

// TestHintSaysWhatToGive: who gives the wrong file is told first what to give, unless
// what can be done with it leads there.
func TestHintSaysWhatToGive(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		given  form
		wanted []form
		hint   string
	}{
		{aLock, []form{aHostsFile}, "give Ansible's inventory of the machines; as for FILE, island build FILE"},
		{aSite, []form{aPatch}, "give a document of kind Patch, as island patch from OLD NEW writes it; as for FILE, name it with --site"},
		{aTable, []form{aBundle, aLock}, "give the .tar archive that island build makes, or the lock that island resolve writes; as for"},
		{aPicture, []form{aMirrorsFile}, "give a document of kind Mirrors (docs/mirrors.md); was another file meant?"},
		{aRelease, []form{aBundle}, "island resolve -f FILE makes a lock of it"},
		{aPatch, []form{aLock}, "island build -f RELEASE -p FILE"},
		{aBindings, []form{aRelease, anOverlay, aPatch}, "give the document beside it"},
		{aGzip, []form{aLock}, "gzip -dk FILE unpacks it"},
		{aWebPage, []form{aPatch}, "a proxy or a login stood in the way"},
		{nothing, []form{aBundle}, "copy it again"},
	} {
		if hint := test.given.hintInstead("FILE", test.wanted); !strings.HasPrefix(hint, test.hint) {
			t.Errorf("%s in place of %s: hint is %q, want %q", test.given, anyOf(test.wanted), hint, test.hint)
		}
	}
	every := []form{
		aBundle, aLock, aRelease, anOverlay, aPatch, aMirrorsFile, aState, aSite, aTable, aPortsTable, aSurvey, aPublicKey, aPrivateKey,
		aChart, aHostsFile,
	}
	for _, f := range every {
		if f.origin() == string(f) {
			t.Errorf("%s: nobody says where that is from", f)
		}
	}
}

func TestAnyOf(t *testing.T) {
	t.Parallel()
	for want, forms := range map[string][]form{
		"a bundle":                      {aBundle},
		"a bundle or a lock":            {aBundle, aLock},
		"a bundle, a lock or a release": {aBundle, aLock, aRelease},
	} {
		if have := anyOf(forms); have != want {
			t.Errorf("%q, want %q", have, want)
		}
	}
}
