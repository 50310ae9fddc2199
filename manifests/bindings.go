package manifests

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/manifests/fault"
)

// KindBindings is the kind of a [Bindings] document.
const KindBindings = "Bindings"

// Bindings say, beside a document, what the local files were that it names when it was
// signed. They are signed as the document is: a signature of the document alone
// covers the names of these files, and not what is in them.
type Bindings struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Document   Digest    `json:"document"` // of the document, so that they are of no other
	Bound      []Binding `json:"bound"`    // in the order in which the document names them
}

// Binding is one file or folder. Exactly one of Digest, Salted and Files says what is
// in it.
type Binding struct {
	Path   string            `json:"path"`             // as the document names it
	Digest Digest            `json:"digest,omitempty"` // of a file
	Salted Digest            `json:"salted,omitempty"` // of a file with secrets, behind its salt
	Files  map[string]Digest `json:"files,omitzero"`   // of a folder, by path in it; of a chart, as it is packaged
}

// ReadBindings reads and checks bindings. Every flaw is a Usage error with its place.
func ReadBindings(file string, data []byte) (*Bindings, error) {
	var b Bindings
	doc, err := decodeStrict(file, data, &b)
	if doc == nil {
		return nil, err
	}
	if err := doc.checkHead(err, b.APIVersion, b.Kind, KindBindings); err != nil {
		return nil, err
	}
	var flaws fault.Flaws
	if b.Document == "" {
		flaws.Add(doc.place("document"), "", "bindings do not say of which document they are")
	}
	for i, one := range b.Bound {
		said := slices.DeleteFunc([]bool{one.Digest != "", one.Salted != "", one.Files != nil}, func(said bool) bool { return !said })
		if one.Path == "" || len(said) != 1 {
			flaws.Add(doc.place(fmt.Sprintf("bound[%d]", i)), "", "wants a path and one of digest, salted and files")
		}
	}
	if flaws.Any() {
		return nil, flaws.Err()
	}
	return &b, nil
}

// Of returns what is bound under a path; of several, the first.
func (b *Bindings) Of(path string) (Binding, bool) {
	i := slices.IndexFunc(b.Bound, func(one Binding) bool { return one.Path == path })
	if i < 0 {
		return Binding{}, false
	}
	return b.Bound[i], true
}

// saltForm is a salt: as long for every file, so that it cannot pass for the start of
// what it is put before.
var saltForm = regexp.MustCompile(`^[0-9a-f]{64}\n$`)

// SaltedDigest returns the digest of content behind a salt, as it stands in the file
// beside it: 64 hexadecimal digits and a newline. Who does not know the salt cannot try
// out what the content may be.
func SaltedDigest(salt, content []byte) (Digest, error) {
	if !saltForm.Match(salt) {
		return "", fmt.Errorf("a salt is 64 lowercase hexadecimal digits and a newline; this is not")
	}
	return DigestOf(slices.Concat(salt, content)), nil
}

// LocalKind says what a document uses a local path for.
type LocalKind int

// The kinds of local path.
const (
	LocalFile   LocalKind = iota // values, or a public key
	LocalSecret                  // values that are never carried
	LocalChart                   // a chart, as archive or folder
	LocalFolder                  // a folder of values
)

// LocalPath is a file or folder of this machine that a document names, without saying
// itself by a digest what is in it.
type LocalPath struct {
	Path  string
	Kind  LocalKind
	Place fault.Place
}

// LocalPaths lists the local paths that a document names, in one order: rebasing it
// changes the paths alone.
func (r *Release) LocalPaths() []LocalPath {
	var list []LocalPath
	for i := range r.Charts {
		list = append(list, r.Charts[i].localPaths()...)
	}
	for _, folder := range r.Values {
		list = append(list, LocalPath{folder.Path, LocalFolder, folder.Place(".path")})
	}
	for i, rule := range r.Attachments.Verify {
		list = append(list, LocalPath{rule.Key, LocalFile, r.sources.place(fmt.Sprintf("attachments.verify[%d].key", i))})
	}
	for i, key := range r.Policy.Keys {
		list = append(list, LocalPath{key, LocalFile, r.sources.place(fmt.Sprintf("policy.keys[%d]", i))})
	}
	return slices.DeleteFunc(list, func(l LocalPath) bool { return l.Path == "" || HasScheme(l.Path) })
}

// LocalPaths lists the local paths that the patch names.
func (p *Patch) LocalPaths() []LocalPath {
	return (&Release{Charts: slices.Concat(p.Changes.Charts, p.Changes.Add.Charts)}).LocalPaths()
}

// Signable is a document that is signed along with the local files that it names: a
// [Release], which may be an overlay, or a [Patch].
type Signable interface{ LocalPaths() []LocalPath }

// ReadSignable reads a release, a Wire build.json, an overlay or a patch, told apart by
// content. Documents of other kinds are Usage errors, as every flaw is, with its place.
func ReadSignable(file string, data []byte) (Signable, error) {
	root, err := parseDocument(file, data)
	if err != nil {
		return nil, err
	}
	kind := cmp.Or(field(root, "kind"), &yaml.Node{Line: root.Line, Column: root.Column})
	switch {
	case isBuildJSON(root) || kind.Value == KindRelease:
		return signable(Read(file, data))
	case kind.Value == KindOverlay:
		return signable(ReadOverlay(file, data))
	case kind.Value == KindPatch:
		return signable(ReadPatch(file, data))
	}
	return nil, fault.At(fault.Place{File: file, Line: kind.Line, Column: kind.Column, Field: "kind"},
		"say its kind, such as kind: Release; no other document is signed",
		"wants a document of kind %s, %s or %s, got %q", KindRelease, KindOverlay, KindPatch, kind.Value)
}

// signable returns nothing with an error: a nil pointer would be a document.
func signable[T Signable](document T, err error) (Signable, error) {
	if err != nil {
		return nil, err
	}
	return document, nil
}

func (c *Chart) localPaths() []LocalPath {
	list := []LocalPath{{c.Path, LocalChart, c.Place(".path")}}
	add := func(kind LocalKind, field string, names []string) {
		for i, name := range names {
			list = append(list, LocalPath{name, kind, c.Place(fmt.Sprintf("%s[%d]", field, i))})
		}
	}
	add(LocalFile, ".values", c.Values)
	add(LocalSecret, ".secrets", c.Secrets)
	for i, r := range c.Renderings {
		add(LocalFile, fmt.Sprintf(".renderings[%d].values", i), r.Values)
		add(LocalSecret, fmt.Sprintf(".renderings[%d].secrets", i), r.Secrets)
	}
	return list
}
