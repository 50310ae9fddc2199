package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/trust/state"
	"github.com/islandbundle/island/internal/plaintar"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// form is what a file is, in words: "a lock". Its content tells, not its name.
type form string

const (
	aBundle       form = "a bundle"
	anInventory   form = "the bundle.json out of a bundle"
	aDeltaJSON    form = "the delta.json out of a delta bundle"
	aLock         form = "a lock"
	aRelease      form = "a release" // or a Wire build.json
	anOverlay     form = "an overlay"
	aPatch        form = "a patch"
	aBindings     form = "what was signed along with a document"
	aMirrorsFile  form = "a mirrors file"
	aState        form = "a site's state file"
	aSite         form = "a site document"
	aTable        form = "a hardware table"
	aPortsTable   form = "a table of ports"
	aReport       form = "a report"
	aSurvey       form = "a survey" // of one host or of all
	aSignature    form = "a signature"
	aPublicKey    form = "a public key"
	aPrivateKey   form = "a private key"
	aCertificate  form = "a certificate"
	aGzip         form = "compressed with gzip"
	aZstd         form = "compressed with zstd"
	anXZ          form = "compressed with xz"
	aZip          form = "a zip archive"
	anImages      form = "an archive of container images" // of docker, podman or skopeo
	aChart        form = "a Helm chart"
	aHostsFile    form = "an Ansible inventory"
	anSSHConfig   form = "a configuration of ssh"       // never recognised: it is what is wanted
	aPassword     form = "a file with a password alone" // likewise
	aProgram      form = "a program"
	aPDF          form = "a PDF document"
	aPicture      form = "a picture"
	aDebian       form = "a Debian package"
	aSevenZip     form = "a 7-Zip archive"
	aBzip2        form = "compressed with bzip2"
	aWebPage      form = "a web page"
	aText         form = "plain text"      // recognised only where no text is wanted
	aJSON         form = "a JSON document" // likewise
	aUTF16        form = "text in UTF-16"
	nothing       form = "empty"
	notRecognised form = ""
)

// headBytes is how much of a file is looked at to recognise it.
const headBytes = 64 << 10

// bundleStart is how every bundle starts: with the name in the header of its
// first entry (docs/format.md).
const bundleStart = bundle.InventoryPath + "\x00"

// recognise says what a file is that starts with head; of a shorter file, head
// is all of it. What starts as a bundle does is one, however much of it is
// missing or wrong: whoever opens it refuses it, and nothing here may make a
// mistake in usage of that.
func recognise(head []byte) form {
	switch {
	case len(head) == 0:
		return nothing
	case bytes.HasPrefix(head, []byte(bundleStart)), bytes.HasPrefix([]byte(bundleStart), head):
		return aBundle
	case isTar(head):
		return formOfTar(head)
	case !isText(head):
		return formOfBinary(head)
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\uFEFF")), " \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("{")):
		return formOfJSON(bytes.NewReader(text))
	case bytes.HasPrefix(text, []byte("<")):
		return formOfMarkup(text)
	}
	return cmp.Or(formOfYAML(text), formOfPEM(text), formOfHosts(text))
}

// recogniseFor says what a file is where some forms are wanted, and that what cannot be
// any document is none. What may be one, whoever reads it judges.
func recogniseFor(wanted []form, head []byte) form {
	found := recognise(head)
	if found != notRecognised || !isText(head) || !slices.ContainsFunc(wanted, form.isDocument) {
		return found
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\uFEFF")))
	inJSON := !slices.ContainsFunc(wanted, func(f form) bool { return f.isDocument() && f != aSurvey && f != aLock })
	switch {
	case bytes.HasPrefix(text, []byte("{")) || saysNothing(text):
		return notRecognised
	case bytes.HasPrefix(text, []byte("[")) && isJSON(bytes.NewReader(text)):
		return aJSON
	case inJSON || !keyLine.Match(text):
		return aText
	}
	return notRecognised
}

// keyLine is a line that a mapping in YAML may have.
var keyLine = regexp.MustCompile(`(?m)^[ \t]*(- +)?["']?[\w./-]+["']?[ \t]*:([ \t\r]|$)`)

// saysNothing reports whether a text has nothing but comments.
func saysNothing(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && string(line) != "---" {
			return false
		}
	}
	return true
}

// isTar reports whether a POSIX header block comes first.
func isTar(head []byte) bool {
	return len(head) >= 512 && string(head[257:262]) == "ustar"
}

// isText reports whether there are no bytes that text has not, in whatever
// encoding of single bytes or UTF-8: whoever reads it as a document says more.
func isText(head []byte) bool {
	return !slices.ContainsFunc(head, func(b byte) bool { return b < ' ' && !strings.ContainsRune("\t\n\r\f\x1b", rune(b)) })
}

func formOfBinary(head []byte) form {
	if bytes.HasPrefix(head, []byte("\x1f\x8b")) { // RFC 1952
		return formOfGzip(head)
	}
	for _, m := range []struct {
		magic string
		form  form
	}{
		{"\x28\xb5\x2f\xfd", aZstd}, // RFC 8878
		{"\xfd7zXZ\x00", anXZ},      // the .xz file format, 2.1.1.1
		{"PK\x03\x04", aZip},        // APPNOTE.TXT, 4.3.7
		{"\xff\xfe", aUTF16},        // Unicode, 23.8: the byte order mark
		{"\xfe\xff", aUTF16},
		{"\x7fELF", aProgram},
		{"MZ", aProgram},               // Microsoft, PE format
		{"\xcf\xfa\xed\xfe", aProgram}, // Apple, Mach-O
		{"%PDF-", aPDF},
		{"\x89PNG", aPicture},
		{"\xff\xd8\xff", aPicture}, // JPEG
		{"!<arch>\ndebian-binary", aDebian},
		{"7z\xbc\xaf\x27\x1c", aSevenZip},
		{"BZh", aBzip2},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.form
		}
	}
	return notRecognised
}

// chartEntry is how a Helm chart's archive starts.
var chartEntry = regexp.MustCompile(`^(\./)?[^/]+/(Chart\.yaml|values\.yaml|templates/.*)$`)

// formOfGzip looks at the first block of what is packed.
func formOfGzip(head []byte) form {
	unpacked, err := gzip.NewReader(bytes.NewReader(head))
	if err != nil {
		return aGzip
	}
	first := make([]byte, 512)
	if _, err := io.ReadFull(unpacked, first); err != nil || !isTar(first) {
		return aGzip
	}
	name, _, _ := bytes.Cut(first[:100], []byte{0})
	if chartEntry.Match(name) {
		return aChart
	}
	return aGzip
}

// imagesEntry is how an archive of images starts: with a part of an OCI image
// layout or of a Docker archive. The latter's older form has a folder for each
// layer, named with its digest.
var imagesEntry = regexp.MustCompile(`^(\./)?(oci-layout|index\.json|manifest\.json|repositories|blobs/.*|[0-9a-f]{64}([/.].*)?)$`)

func formOfTar(head []byte) form {
	name, _, _ := bytes.Cut(head[:100], []byte{0})
	if imagesEntry.Match(name) {
		return anImages
	}
	return notRecognised
}

// hasEntry reports whether a tar archive has an entry of this name, as far as it
// can be read.
func hasEntry(r io.Reader, name string) bool {
	archive := plaintar.NewReader(r)
	for {
		switch header, err := archive.Next(); {
		case err != nil:
			return false
		case path.Clean(header.Name) == name:
			return true
		}
	}
}

// isJSON reports whether all that there is is one JSON value.
func isJSON(r io.Reader) bool {
	decoder := json.NewDecoder(r)
	var document json.RawMessage
	if decoder.Decode(&document) != nil {
		return false
	}
	_, err := decoder.Token()
	return errors.Is(err, io.EOF)
}

// isAllOf reports whether there is no more in a file than its start told. That
// is asked of what stands at the front of a bundle, and has the bundle behind it
// where the first block is lost.
func (f form) isAllOf(r io.Reader) bool {
	if f != anInventory && f != aDeltaJSON {
		return true
	}
	return isJSON(r)
}

// hasSignOfBundle reports whether a part of a bundle may be what this is: a tar
// header or a piece of an inventory stands somewhere in it.
func hasSignOfBundle(head []byte) bool {
	return bytes.Contains(head, []byte("ustar\x0000")) || bytes.Contains(head, []byte(`"kind":"`+bundle.KindBundle+`"`))
}

// beginLine is the line that begins something in PEM (RFC 7468, section 2).
var beginLine = regexp.MustCompile(`(?m)^-----BEGIN (?:[A-Z0-9 ]* )?(PRIVATE KEY|PUBLIC KEY|CERTIFICATE)-----`)

// formOfPEM looks at no more than the first such line: what follows may be
// secret.
func formOfPEM(text []byte) form {
	label := beginLine.FindSubmatch(text)
	if label == nil {
		return notRecognised
	}
	switch string(label[1]) {
	case "PRIVATE KEY":
		return aPrivateKey
	case "PUBLIC KEY":
		return aPublicKey
	}
	return aCertificate
}

func formOfMarkup(text []byte) form {
	start := bytes.ToLower(text[:min(len(text), 16)])
	if bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html")) {
		return aWebPage
	}
	return notRecognised
}

// formOfJSON looks at the fields of an object, as far as it can be read. A "Kind" tells
// what was meant too: whoever reads it says that the field is misspelt.
func formOfJSON(r io.Reader) form {
	decoder := json.NewDecoder(r)
	_, err := decoder.Token() // the brace
	found := notRecognised
	for err == nil && decoder.More() {
		var token json.Token
		if token, err = decoder.Token(); err != nil {
			break
		}
		name, _ := token.(string)
		switch name {
		case "helmCharts":
			found = aRelease // a Wire build.json has no kind
		case "_meta":
			found = aHostsFile // as ansible-inventory --list prints it
		}
		var value json.RawMessage
		if err = decoder.Decode(&value); err != nil {
			break
		}
		text := ""
		_ = json.Unmarshal(value, &text) // else it is no text
		switch {
		case strings.EqualFold(name, "kind") && formOfKind(text) != notRecognised:
			return formOfKind(text)
		case name == "mediaType" && strings.HasPrefix(text, "application/vnd.dev.sigstore.bundle"):
			return aSignature
		}
	}
	return found
}

var kindLine = regexp.MustCompile(`(?m)^kind:[ \t]*["']?([A-Za-z]+)`)

func formOfYAML(text []byte) form {
	if kind := kindLine.FindSubmatch(text); kind != nil {
		return formOfKind(string(kind[1]))
	}
	return notRecognised
}

// What an inventory of Ansible has: in the form of INI, sections, and under them hosts
// and variables, of which some are no other's; in YAML the group of all, or such variables.
var (
	hostsINI     = regexp.MustCompile(`(?m)^\[[^\]\s]+:(children|vars)\][ \t\r]*$|^[^\s#;:{]+[ \t].*\bansible_[a-z_]+=`)
	hostsSection = regexp.MustCompile(`^\[[\w.:-]+\]\s*([#;].*)?$`)
	hostsLine    = regexp.MustCompile(`^([#;].*|[^\s:{}"',]+(:\d+|\[[\w:]+\]\S*)?(\s+[\w]+\s*=.*|\s+#.*)?|[\w]+\s*=.*)$`)
	hostsInYAML  = regexp.MustCompile(`(?m)^all:\s*(#.*)?\n(\s*(#.*)?\n)*[ \t]+(children|hosts|vars):|` +
		`^[ \t]+ansible_(host|user|connection|port|ssh_\w+|become\w*):`)
)

// formOfHosts recognises an inventory of Ansible, in either form.
func formOfHosts(text []byte) form {
	if hostsINI.Match(text) || hostsInYAML.Match(text) {
		return aHostsFile
	}
	sections := 0
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case hostsSection.Match(line):
			sections++
		case !hostsLine.Match(line):
			return notRecognised
		}
	}
	if sections == 0 {
		return notRecognised
	}
	return aHostsFile
}

// formOfKind goes by what documents of this project call themselves.
func formOfKind(kind string) form {
	switch kind {
	case bundle.KindBundle:
		return anInventory
	case bundle.KindDelta:
		return aDeltaJSON
	case manifests.KindLock:
		return aLock
	case manifests.KindRelease:
		return aRelease
	case manifests.KindOverlay:
		return anOverlay
	case manifests.KindPatch:
		return aPatch
	case manifests.KindBindings:
		return aBindings
	case "Mirrors":
		return aMirrorsFile
	case state.Kind:
		return aState
	case site.Kind:
		return aSite
	case sizing.KindTable:
		return aTable
	case site.KindPorts:
		return aPortsTable
	case sizing.KindReport, "PreflightReport":
		return aReport
	case facts.Kind, facts.SurveyKind:
		return aSurvey
	}
	return notRecognised
}

// hint says what a person with such a file has probably wanted.
func (f form) hint(name string) string {
	if f.isForeign() {
		return "was another file meant?"
	}
	switch f {
	case aBundle:
		return "island show " + name + " says what is in it"
	case anInventory:
		return "give the whole archive that it was taken out of: it alone carries nothing"
	case aDeltaJSON:
		return "give the whole delta bundle that it was taken out of"
	case aLock:
		return "island build " + name + " --key island.key makes a bundle of it"
	case aRelease:
		return "island resolve -f " + name + " makes a lock of it, island build -f " + name + " --key island.key a bundle"
	case anOverlay:
		return "island build -f RELEASE --overlay " + name + " --key island.key makes a bundle with it"
	case aPatch:
		return "island build -f RELEASE -p " + name + " --key island.key makes a bundle with it"
	case aBindings:
		return "give the document beside it: both are read"
	case aMirrorsFile:
		return "name it with --mirrors, beside a release or a lock"
	case aState:
		return "name it with --state, beside the bundle that island verify is to check"
	case aSite:
		return "name it with --site, to island size or island preflight"
	case aTable:
		return "name it with --table, to island size or island preflight"
	case aPortsTable:
		return "name it with --ports, to island preflight"
	case aHostsFile:
		return "name it with -i, to island preflight"
	case aChart:
		return "island discover " + name + " finds the images in it"
	case aReport:
		return "a report is for people: give what it is about"
	case aSurvey:
		return "island preflight --facts judges it, island size --against compares with it"
	case aSignature:
		return "give the file that it signs; a bundle has its signature in itself"
	case aPublicKey, aCertificate:
		return "give the bundle, and behind it --key " + name
	case aPrivateKey:
		return "keep it where bundles are built: what is checked is checked with the public key"
	}
	return f.unpackHint(name)
}

// unpackHint says how to get at what is packed once more.
func (f form) unpackHint(name string) string {
	switch f {
	case aGzip:
		return "gzip -dk " + name + " unpacks it"
	case aZstd:
		return "zstd -d " + name + " unpacks it"
	case anXZ:
		return "xz -dk " + name + " unpacks it"
	case aBzip2:
		return "bzip2 -dk " + name + " unpacks it"
	case aSevenZip:
		return "7z x " + name + " unpacks it"
	case aZip:
		return "unzip " + name + " unpacks it"
	case anImages:
		return "name its images in a release, and let island build carry them"
	case aWebPage:
		return "a proxy or a login stood in the way: fetch the file again"
	case aUTF16:
		return "save it as UTF-8"
	case nothing:
		return "copy it again from where it came"
	}
	return ""
}

// isDocument reports whether such a file is a mapping, in JSON or YAML.
func (f form) isDocument() bool {
	return slices.Contains([]form{aLock, aRelease, anOverlay, aPatch, aMirrorsFile, aSite, aTable, aPortsTable, aSurvey}, f)
}

func (f form) isPEM() bool { return f == aPublicKey || f == aPrivateKey || f == aCertificate }

// anyOf words forms that are wanted: "a bundle, a lock or a release".
func anyOf(wanted []form) string {
	words := make([]string, len(wanted))
	for i, f := range wanted {
		words[i] = string(f)
	}
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// check refuses what was recognised as something else than what is wanted. What
// was not recognised is left to whoever reads it.
func (f form) check(name string, wanted ...form) error {
	switch {
	case f == notRecognised || slices.Contains(wanted, f):
		return nil
	case f.isPEM() && slices.ContainsFunc(wanted, form.isPEM):
		return nil // which key it is, whoever reads it tells
	case f == nothing:
		return usage(f.hint(name), "%s is empty", name)
	}
	return usage(f.hintInstead(name, wanted), "%s is %s, not %s", name, f, anyOf(wanted))
}

// hintInstead says what is to be given in place of a file, and what that is good for.
// Where what it is good for leads to what is wanted, or it may be that itself in a
// wrapping, there is no more to say.
func (f form) hintInstead(name string, wanted []form) string {
	hint := f.hint(name)
	switch {
	case f.leadsTo(wanted) || f.unpackHint(name) != "":
		return hint
	case f.isForeign():
		return give(wanted) + "; " + hint
	}
	return give(wanted) + "; as for " + name + ", " + hint
}

// leadsTo reports whether the hint of a form says how one gets to one of those wanted.
func (f form) leadsTo(wanted []form) bool {
	var to []form
	switch f {
	case aRelease, anOverlay, aPatch:
		to = []form{aLock, aBundle}
	case aLock, anInventory, aDeltaJSON, aSignature, aPublicKey, aCertificate:
		to = []form{aBundle}
	case aBindings:
		to = []form{aRelease, anOverlay, aPatch}
	}
	return slices.ContainsFunc(to, func(one form) bool { return slices.Contains(wanted, one) })
}

// isForeign reports whether no command takes such a file.
func (f form) isForeign() bool {
	return slices.Contains([]form{aProgram, aPDF, aPicture, aDebian, aText, aJSON}, f)
}

// give says what to give where one of some forms is wanted, and where that is from.
func give(wanted []form) string {
	words := make([]string, len(wanted))
	for i, f := range wanted {
		words[i] = f.origin()
	}
	return "give " + strings.Join(words, ", or ")
}

// origin says what such a file is to who has none, and what makes it.
func (f form) origin() string {
	switch f {
	case aBundle:
		return "the .tar archive that island build makes"
	case aLock:
		return "the lock that island resolve writes"
	case aRelease:
		return "a document of kind Release, or Wire's build.json"
	case anOverlay:
		return "a document of kind Overlay (docs/releases.md)"
	case aPatch:
		return "a document of kind Patch, as island patch from OLD NEW writes it"
	case aMirrorsFile:
		return "a document of kind Mirrors (docs/mirrors.md)"
	case aState:
		return "the file that island verify --state writes"
	case aSite:
		return "a document of kind Site, as island size --save-site writes it"
	case aTable:
		return "a document of kind HardwareTable, or the name of a table (docs/sizing.md)"
	case aPortsTable:
		return "a document of kind Ports (docs/preflight.md)"
	case aSurvey:
		return "what island preflight --save has kept"
	case aPublicKey:
		return "the public key of who signed, such as island.pub"
	case aPrivateKey:
		return "the private key that island keygen makes, such as island.key"
	case aChart:
		return "a chart's folder, or its archive"
	case aHostsFile:
		return "Ansible's inventory of the machines"
	case anSSHConfig:
		return "ssh's configuration, such as ~/.ssh/config, or leave it out"
	case aPassword:
		return "a file that holds the password and nothing else"
	}
	return string(f)
}
