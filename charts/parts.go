package charts

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/manifests"
)

// Images that are written in parts. This is the one place that knows which names
// of fields are which part of an image, and how parts become a reference:
// custom resources, values, environment variables and lines of configuration
// files are all read by it.

// part is what the name of a field says that it holds of an image.
type part int

const (
	noPart         part = iota
	registryPart        // a host, or a host and the beginning of a path
	repositoryPart      // the path, with or without its host
	imagePart           // a name, or all of a reference
	namePart            // often the name of something else
	tagPart             //
	versionPart         // often the version of something else
	digestPart          //
)

// partNames are the ends of names, letters and digits alone, longest first.
var partNames = []struct {
	end string
	is  part
}{
	{"registryserver", registryPart}, {"registrydomain", registryPart}, {"registryhost", registryPart},
	{"registryname", registryPart}, {"registryurl", registryPart}, {"registry", registryPart}, {"hub", registryPart},
	{"repositoryname", repositoryPart}, {"repositorypath", repositoryPart}, {"repositoryurl", repositoryPart},
	{"reponame", repositoryPart}, {"repository", repositoryPart}, {"repo", repositoryPart},
	{"imagereference", imagePart}, {"imagefullname", imagePart}, {"imagerepotag", imagePart}, {"imagename", imagePart},
	{"imageref", imagePart}, {"imageurl", imagePart}, {"imageuri", imagePart}, {"imagepath", imagePart}, {"image", imagePart},
	{"imageversion", tagPart}, {"tagname", tagPart}, {"tag", tagPart}, {"version", versionPart},
	{"sha256", digestPart}, {"digest", digestPart}, {"sha", digestPart},
	{"name", namePart},
}

// partName is the name of a field, taken apart.
type partName struct {
	is        part
	about     string // which image of several: db for dbImageTag
	saysImage bool   // imageTag rather than tag
}

// readPartName takes a name apart, however it is spelt: dbImageTag, DB_IMAGE_TAG,
// db.image.tag.
func readPartName(name string) partName {
	letters := lettersOf(name)
	for _, known := range partNames {
		about, ok := strings.CutSuffix(letters, known.end)
		if !ok {
			continue
		}
		read := partName{is: known.is, saysImage: strings.HasPrefix(known.end, "image")}
		for _, filler := range []string{"images", "image", "container", "docker", "oci"} {
			short, ok := strings.CutSuffix(about, filler)
			if !ok || known.is == namePart && !strings.HasPrefix(filler, "image") { // the name of a container
				continue
			}
			about, read.saysImage = short, true
		}
		read.about = about
		vague := about != "" && !read.saysImage
		switch {
		case known.is == namePart && vague, known.end == "hub" && vague: // clusterName, github
			return partName{}
		case known.is == namePart && read.saysImage:
			read.is = imagePart
		}
		return read
	}
	return partName{}
}

// lettersOf returns the small letters and digits of a name.
func lettersOf(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// notAboutImages are what repositories and versions are of as well.
var notAboutImages = []string{
	"git", "helm", "chart", "charts", "source", "src", "maven", "npm", "pypi", "backup", "snapshot", "config", "manifest", "api",
}

// mapOfParts is a map that may hold images in parts.
type mapOfParts struct {
	fields map[string]any
	under  string           // the name of the field, or of the list, that holds it
	inList bool             // it is an item of a list, where name is the item's
	around []map[string]any // the maps around it, the nearest first: what they say of registry and tag holds for it
	read   []fieldPart      // what has been read of the fields
	strict bool             // variables or lines: a repository counts only if its name, or the map's, says that it is an image's
}

// partedImage is an image that was put together from parts.
type partedImage struct {
	key        string   // the field that names it
	keys       []string // all fields that went into it
	whole      bool     // the map is this image, and not one that has it among others
	registry   string   // empty if none is given beside the repository
	repository string   // without tag and digest
	tag        string
	digest     string
	doubt      string // why it may be none; empty if name and form say that it is one
}

// String returns the reference as a pod would name it.
func (p partedImage) String() string {
	image := joinName(p.registry, p.repository)
	if p.tag != "" {
		image += ":" + p.tag
	}
	if p.digest != "" {
		image += "@" + p.digest
	}
	return image
}

// The doubts about images in parts.
const (
	doubtNoRepository = "written in parts, of which the repository is missing"
	doubtNoName       = "written in parts, of which the name is missing"
	doubtVersion      = "a repository and a version, which may be those of something else"
)

// isImage reports whether the map's own name says that it is an image.
func (m mapOfParts) isImage() bool { return isImageName(m.under) }

// images returns the images that the map holds in parts, in the order of the
// names of its fields. An image whose text is complete by itself and that no
// other field adds to is not among them.
func (m mapOfParts) images() []partedImage {
	m.read = append(readParts(m.fields), m.address()...)
	var all []partedImage
	taken := map[string]bool{}
	add := func(image partedImage, ok bool) {
		if !ok {
			return
		}
		for _, key := range image.keys {
			taken[key] = true
		}
		same := slices.IndexFunc(all, func(one partedImage) bool { return one.String() == image.String() })
		if same < 0 {
			all = append(all, image)
			return
		}
		all[same].keys = append(all[same].keys, image.keys...)
	}
	add(m.renamed())
	for _, wanted := range []part{repositoryPart, imagePart, namePart, registryPart} { // a name completes a repository
		for _, one := range m.read {
			if one.is != wanted || taken[one.key] {
				continue
			}
			switch wanted {
			case repositoryPart:
				add(m.byRepository(one))
			case imagePart:
				add(m.byImage(one))
			case namePart:
				add(m.byName(one))
			case registryPart:
				add(m.byHub(one, len(all) > 0))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b partedImage) int { return strings.Compare(a.key, b.key) })
	return all
}

// address returns the field that names the image of a map which is an image and has
// neither repository nor name.
func (m mapOfParts) address() []fieldPart {
	if !m.isImage() || m.inList || m.has(repositoryPart, "") || m.has(imagePart, "") || m.has(namePart, "") {
		return nil
	}
	for _, key := range []string{"path", "url", "uri", "ref"} {
		if text := m.text(key); text != "" {
			return []fieldPart{{partName{is: imagePart}, key, text}}
		}
	}
	return nil
}

// fieldPart is a field that holds a part of an image, a text or a number.
type fieldPart struct {
	partName
	key, text string
}

// readParts returns the fields of a map that hold parts, in the order of their
// names.
func readParts(fields map[string]any) []fieldPart {
	all := []fieldPart{}
	for key, value := range fields {
		text, _ := scalar(value)
		if text = strings.TrimSpace(text); text == "" || key == "apiVersion" {
			continue
		}
		if read := readPartName(key); read.is != noPart {
			all = append(all, fieldPart{read, key, text})
		}
	}
	slices.SortFunc(all, func(a, b fieldPart) int { return strings.Compare(a.key, b.key) })
	return all
}

// text returns what a field holds, if it is a text or a number.
func (m mapOfParts) text(key string) string {
	text, _ := scalar(m.fields[key])
	return strings.TrimSpace(text)
}

// beside returns the field of the map that holds a part of the image which another
// field names: the one about the same, and else one about nothing in
// particular.
func (m mapOfParts) beside(is part, about string) fieldPart {
	if m.read == nil {
		m.read = readParts(m.fields)
	}
	return partAmong(m.read, is, about)
}

func partAmong(fields []fieldPart, is part, about string) (found fieldPart) {
	best := 0
	for _, one := range fields {
		rank := 0
		switch {
		case one.is != is:
		case one.about == about && one.saysImage:
			rank = 4
		case one.about == about:
			rank = 3
		case is != digestPart && one.about == "":
			rank = 2
		case is != digestPart && isDefault(one.about):
			rank = 1
		}
		if rank > best {
			best, found = rank, one
		}
	}
	return found
}

// isDefault reports whether a part is one that all images share.
func isDefault(about string) bool {
	return slices.Contains([]string{"default", "global", "common"}, about)
}

// about returns the field of a part that is about just that.
func (m mapOfParts) about(is part, about string) fieldPart {
	if found := m.beside(is, about); found.about == about {
		return found
	}
	return fieldPart{}
}

func (m mapOfParts) has(is part, about string) bool { return m.beside(is, about).key != "" }

// maxAround is how many maps further out a registry, tag or version holds for an
// image.
const maxAround = 3

// further returns what the nearest map further out holds of some parts, the first
// before the others.
func (m mapOfParts) further(parts ...part) string {
	for _, fields := range m.around[:min(len(m.around), maxAround)] {
		read := readParts(fields)
		for _, is := range parts {
			if found := partAmong(read, is, ""); found.key != "" {
				return found.text
			}
		}
	}
	return ""
}

// complete adds registry, tag and digest to an image that has a name. own says
// that the registry in the map itself belongs in front even of a host.
func (m mapOfParts) complete(image partedImage, about string, own bool) partedImage {
	image.repository, image.tag, image.digest = takeApart(trimScheme(image.repository))
	if registry := m.beside(registryPart, about); registry.key != "" && (own || !hasHost(image.repository)) {
		image.registry = registryOf(registry.text)
		image.keys = append(image.keys, registry.key)
	} else if !hasHost(image.repository) {
		image.registry = registryOf(m.further(registryPart))
	}
	if _, left := m.fields["repository"]; left && m.text("repository") == "" && !strings.Contains(image.repository, "/") {
		image.repository = joinName(m.further(repositoryPart), image.repository) // {repository: "", name: operator}
	}
	if strings.HasPrefix(image.repository, image.registry+"/") {
		image.registry = ""
	}
	if image.registry != "" {
		image.repository = strings.Trim(image.repository, "/") // {registry: "ghcr.io/", repository: /acme/app}
	}
	if digest := digestOf(m.beside(digestPart, about).text); digest != "" && image.digest == "" {
		image.digest = digest
		image.keys = append(image.keys, m.beside(digestPart, about).key)
	}
	for _, is := range []part{tagPart, versionPart} {
		if tag := m.beside(is, about); tag.key != "" && image.tag == "" {
			image = image.tagged(tag.text)
			image.keys = append(image.keys, tag.key)
		}
	}
	if image.tag == "" && image.digest == "" {
		image = image.tagged(m.further(tagPart, versionPart))
	}
	return image
}

// tagged adds what a field named tag holds, which some write as a digest, or with
// the sign before it.
func (p partedImage) tagged(tag string) partedImage {
	tag = strings.TrimLeft(tag, ":@")
	if digest := digestOf(tag); digest != "" {
		p.digest = or(p.digest, digest)
		return p
	}
	tag, digest, _ := strings.Cut(tag, "@")
	p.tag, p.digest = tag, or(p.digest, digest)
	return p
}

// byRepository puts the image of a repository together.
func (m mapOfParts) byRepository(one fieldPart) (partedImage, bool) {
	image := partedImage{key: one.key, keys: []string{one.key}, repository: one.text, whole: one.about == "" && !one.saysImage}
	if m.isOfSomethingElse(one.partName) || m.strict && !one.saysImage && !m.isImage() {
		return image, false
	}
	m.name(&image, one.about)
	image = m.complete(image, one.about, true)
	if !image.possible() || isDefault(one.about) && !strings.Contains(image.repository, "/") {
		return image, false
	}
	hasVersion := m.has(versionPart, one.about)
	switch {
	case m.isImage(), one.saysImage, m.has(tagPart, one.about), image.digest != "", m.hasPullPolicy():
		return image, true
	case image.tag != "" && (image.registry != "" || hasHost(image.repository)): // by what stands further out
		return image, true
	case hasVersion && image.registry == "" && !hasHost(image.repository) && m.about(imagePart, one.about).key == "":
		image.doubt = doubtVersion
	}
	return image, hasVersion
}

// name joins the name of an image to its repository, where they are two parts:
// {repository: nvcr.io/nvidia, image: driver}. Of items of lists, name is often
// what the item is called.
func (m mapOfParts) name(image *partedImage, about string) {
	path := withoutHost(image.repository)
	name := m.about(imagePart, about)
	if name.key == "" && about == "" {
		name = m.about(namePart, "")
		if isItemsName := strings.Contains(path, "/") || path == image.repository && !m.has(registryPart, ""); m.inList && isItemsName {
			return
		}
	}
	switch {
	case name.key == "", strings.ContainsAny(name.text, " {}$"):
		return
	case isReference(name.text) && (m.strict || strings.Contains(name.text, "/")):
		return // an image of its own
	case lastPart(path) == name.text && (path != name.text || !hasHost(image.repository) && !m.has(registryPart, "")):
		// the repository says it already
	case hasHost(name.text), strings.HasPrefix(name.text, image.repository+"/"):
		image.repository = name.text
	default:
		image.repository = joinName(strings.TrimSuffix(image.repository, "/"), name.text)
	}
	image.keys = append(image.keys, name.key)
}

func (m mapOfParts) hasPullPolicy() bool {
	return m.fields["pullPolicy"] != nil || m.fields["imagePullPolicy"] != nil
}

// isOfSomethingElse reports whether a repository is one of charts, sources or
// packages.
func (m mapOfParts) isOfSomethingElse(read partName) bool {
	if read.saysImage || m.isImage() {
		return false
	}
	for _, name := range []string{"chart", "branch", "ref", "revision", "targetRevision", "git", "commit", "path"} {
		if text, isText := m.fields[name].(string); isText && text != "" {
			return true
		}
	}
	if slices.Contains(notAboutImages, read.about) {
		return true
	}
	isPulled := m.has(tagPart, "") && (m.has(registryPart, "") || hasHost(m.text("repository"))) || m.hasPullPolicy()
	return read.about == "" && slices.Contains(notAboutImages, lettersOf(m.under)) && !isPulled // git may be an image of git
}

// byImage puts an image together whose text other fields complete.
func (m mapOfParts) byImage(one fieldPart) (partedImage, bool) {
	image := partedImage{key: one.key, keys: []string{one.key}, repository: one.text}
	if m.strict && isReference(one.text) {
		return image, false
	}
	image = m.complete(image, one.about, false)
	whole := image.String() == trimScheme(one.text)
	isOne := isImageName(one.key) || m.isImage() || isReference(image.String()) // the path of an image may be that of many
	return image, isOne && !whole && image.possible() && !isNoImage(one.text)
}

// byName puts an image together that is called name: the map is an image, or has
// registry and tag as well.
func (m mapOfParts) byName(one fieldPart) (partedImage, bool) {
	image := partedImage{key: one.key, keys: []string{one.key}, repository: one.text, whole: true}
	if m.about(imagePart, "").key != "" || m.about(repositoryPart, "").key != "" {
		return image, false // it is what an image is called that other fields give
	}
	image = m.complete(image, "", true)
	hasTag, hasRegistry := m.has(tagPart, "") || image.digest != "", m.has(registryPart, "")
	hasVersion := m.has(versionPart, "") && !strings.Contains(m.beside(registryPart, "").text, "://") // one of packages or schemas
	isOne := m.isImage() && (!m.inList || hasTag || hasRegistry) || hasRegistry && (hasTag || hasVersion)
	return image, isOne && image.possible() && !m.hasCredentials()
}

// hasCredentials reports whether a registry is one to log in at.
func (m mapOfParts) hasCredentials() bool {
	return m.fields["username"] != nil || m.fields["password"] != nil
}

// byHub doubts a registry with a path beside a tag, as Istio's hub, where no field
// says the name.
func (m mapOfParts) byHub(one fieldPart, named bool) (partedImage, bool) {
	image := partedImage{key: one.key, keys: []string{one.key}, repository: one.text, whole: true, doubt: doubtNoName}
	if named || !m.has(tagPart, "") || !strings.Contains(one.text, "/") || m.strict || namesBelow(m.fields) {
		return image, false
	}
	image = m.complete(image, "", false)
	return image, image.possible()
}

// namesBelow reports whether a map further in may name an image that a registry
// and tag are of.
func namesBelow(fields map[string]any) bool {
	for _, value := range fields {
		below, ok := value.(map[string]any)
		if ok && (namesBelow(below) || slices.ContainsFunc(readParts(below), func(one fieldPart) bool {
			return one.is == imagePart || one.is == repositoryPart
		})) {
			return true
		}
	}
	return false
}

// renamed reads {name, newName, newTag, digest}, which puts one image in the place
// of another (Kustomize, "images").
func (m mapOfParts) renamed() (partedImage, bool) {
	newName, newTag := m.text("newName"), m.text("newTag")
	if newName == "" && newTag == "" {
		return partedImage{}, false
	}
	image := partedImage{key: "name", keys: []string{"name", "newName", "newTag", "digest"}, whole: true}
	image.repository, image.tag, image.digest = takeApart(or(newName, m.text("name")))
	if newTag != "" {
		image = image.tagged(newTag)
	}
	image.digest = or(digestOf(m.text("digest")), image.digest)
	return image, image.possible()
}

// possible reports whether an image's parts make a reference, with or without tag.
func (p partedImage) possible() bool {
	_, err := manifests.ParseImageRef(p.String())
	return (err == nil || errors.Is(err, manifests.ErrNoTag)) && plausibleHost(p.String())
}

// takeApart returns the repository, tag and digest of a text.
func takeApart(text string) (repository, tag, digest string) {
	repository, digest, _ = strings.Cut(text, "@")
	if colon := strings.LastIndex(repository, ":"); colon > strings.LastIndex(repository, "/") {
		repository, tag = repository[:colon], repository[colon+1:]
	}
	return repository, tag, digest
}

// hasHost reports whether a name begins with a registry's host
// (distribution/reference, "splitDockerDomain").
func hasHost(name string) bool { return withoutHost(name) != name }

func withoutHost(name string) string {
	host, path, found := strings.Cut(name, "/")
	if found && (strings.ContainsAny(host, ".:") || host == "localhost") {
		return path
	}
	return name
}

// registryOf returns the registry that a field names, which may be written as a
// URL.
func registryOf(text string) string {
	for _, scheme := range []string{"https://", "http://", "oci://", "docker://"} {
		text = strings.TrimPrefix(text, scheme)
	}
	text = strings.TrimRight(text, "/")
	if text == "index.docker.io/v1" {
		return "docker.io"
	}
	return text
}

var bareDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// digestOf returns the digest that a field holds, with or without its algorithm;
// empty if it holds none.
func digestOf(text string) string {
	text = strings.TrimPrefix(text, "@")
	if bareDigest.MatchString(text) {
		text = "sha256:" + text
	}
	if _, err := manifests.ParseDigest(text); err != nil {
		return ""
	}
	return text
}

// imageOfParts puts the one image together that a map is, as it is written.
func imageOfParts(fields map[string]any) (string, bool) {
	for _, image := range (mapOfParts{fields: fields, under: "image"}).images() {
		return image.String(), true
	}
	return "", false
}

func joinName(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "/")
}

// scalar returns a text or a number as it was written. Numbers of a chart's
// values have been floating point since they were read, as they are to Helm.
func scalar(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case json.Number:
		return value.String(), true
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), true
	case int:
		return strconv.Itoa(value), true
	case int64:
		return strconv.FormatInt(value, 10), true
	default:
		return "", false
	}
}
