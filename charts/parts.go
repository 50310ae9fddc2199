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
			if short, ok := strings.CutSuffix(about, filler); ok {
				about, read.saysImage = short, read.saysImage || strings.HasPrefix(filler, "image")
			}
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
	var all []partedImage
	taken := map[string]bool{}
	add := func(image partedImage, ok bool) {
		if ok && !slices.ContainsFunc(all, func(one partedImage) bool { return one.String() == image.String() }) {
			all = append(all, image)
		}
		for _, key := range image.keys {
			taken[key] = taken[key] || ok
		}
	}
	add(m.renamed())
	for _, wanted := range []part{repositoryPart, imagePart, namePart, registryPart} { // a name completes a repository
		for _, key := range sortedKeys(m.fields) {
			read := readPartName(key)
			if text := m.text(key); read.is != wanted || text == "" || taken[key] {
				continue
			}
			switch wanted {
			case repositoryPart:
				add(m.byRepository(key, read))
			case imagePart:
				add(m.byImage(key, read))
			case namePart:
				add(m.byName(key))
			case registryPart:
				add(m.byHub(key, all))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b partedImage) int { return strings.Compare(a.key, b.key) })
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
func (m mapOfParts) beside(is part, about string) (key string) {
	return partIn(m.fields, is, about)
}

func partIn(fields map[string]any, is part, about string) (key string) {
	best := 0
	for _, name := range sortedKeys(fields) {
		text, _ := scalar(fields[name])
		read := readPartName(name)
		if read.is != is || strings.TrimSpace(text) == "" || name == "apiVersion" {
			continue
		}
		rank := 0
		switch {
		case read.about == about && read.saysImage:
			rank = 4
		case read.about == about:
			rank = 3
		case is != digestPart && read.about == "":
			rank = 2
		case is != digestPart && isDefault(read.about):
			rank = 1
		}
		if rank > best {
			best, key = rank, name
		}
	}
	return key
}

// isDefault reports whether a part is one that all images share.
func isDefault(about string) bool {
	return slices.Contains([]string{"default", "global", "common"}, about)
}

// maxAround is how many maps further out a registry, tag or version holds for an
// image.
const maxAround = 2

// further returns a part that a map further out holds.
func (m mapOfParts) further(is part) string {
	for _, fields := range m.around[:min(len(m.around), maxAround)] {
		if key := partIn(fields, is, ""); key != "" {
			text, _ := scalar(fields[key])
			return strings.TrimSpace(text)
		}
	}
	return ""
}

// complete adds registry, tag and digest to an image that has a name. own says
// that the registry in the map itself belongs in front even of a host.
func (m mapOfParts) complete(image partedImage, about string, own bool) partedImage {
	image.repository, image.tag, image.digest = takeApart(trimScheme(image.repository))
	if key := m.beside(registryPart, about); key != "" && (own || !hasHost(image.repository)) {
		image.registry = registryOf(m.text(key))
		image.keys = append(image.keys, key)
	} else if !hasHost(image.repository) {
		image.registry = registryOf(m.further(registryPart))
	}
	if _, left := m.fields["repository"]; left && m.text("repository") == "" && !strings.Contains(image.repository, "/") {
		image.repository = joinName(m.further(repositoryPart), image.repository) // {repository: "", name: operator}
	}
	if strings.HasPrefix(image.repository, image.registry+"/") {
		image.registry = ""
	}
	if key := m.beside(digestPart, about); key != "" && image.digest == "" {
		if image.digest = digestOf(m.text(key)); image.digest != "" {
			image.keys = append(image.keys, key)
		}
	}
	for _, is := range []part{tagPart, versionPart} {
		if key := m.beside(is, about); key != "" && image.tag == "" {
			image = image.tagged(m.text(key))
			image.keys = append(image.keys, key)
		}
	}
	if image.tag == "" && image.digest == "" {
		image = image.tagged(or(m.further(tagPart), m.further(versionPart)))
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
func (m mapOfParts) byRepository(key string, read partName) (partedImage, bool) {
	image := partedImage{key: key, keys: []string{key}, repository: m.text(key), whole: read.about == "" && !read.saysImage}
	if m.isOfSomethingElse(read) || m.strict && !read.saysImage && !m.isImage() {
		return image, false
	}
	m.name(&image, read.about)
	image = m.complete(image, read.about, true)
	if !image.possible() || isDefault(read.about) && !strings.Contains(image.repository, "/") {
		return image, false
	}
	hasVersion := m.has(versionPart, read.about)
	switch {
	case m.isImage(), read.saysImage, m.has(tagPart, read.about), image.digest != "", m.hasPullPolicy():
		return image, true
	case hasVersion && image.registry == "" && !hasHost(image.repository) && partAbout(m.fields, imagePart, read.about) == "":
		image.doubt = doubtVersion
	}
	return image, hasVersion
}

// name joins the name of an image to its repository, where they are two parts:
// {repository: nvcr.io/nvidia, image: driver}. Of items of lists, name is often
// what the item is called.
func (m mapOfParts) name(image *partedImage, about string) {
	path := withoutHost(image.repository)
	key := partAbout(m.fields, imagePart, about)
	if key == "" && about == "" {
		key = partAbout(m.fields, namePart, "")
		if isItemsName := strings.Contains(path, "/") || path == image.repository && !m.has(registryPart, ""); m.inList && isItemsName {
			return
		}
	}
	name := m.text(key)
	switch {
	case key == "", strings.ContainsAny(name, " {}$"):
		return
	case strings.Contains(path, "/") && lastPart(path) == name: // the repository says it already
	case hasHost(name), strings.HasPrefix(name, image.repository+"/"):
		image.repository = name
	default:
		image.repository = joinName(strings.TrimSuffix(image.repository, "/"), name)
	}
	image.keys = append(image.keys, key)
}

// partAbout returns the field of a part that is about just that.
func partAbout(fields map[string]any, is part, about string) string {
	key := partIn(fields, is, about)
	if readPartName(key).about != about {
		return ""
	}
	return key
}

func (m mapOfParts) has(is part, about string) bool { return m.beside(is, about) != "" }

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
func (m mapOfParts) byImage(key string, read partName) (partedImage, bool) {
	image := partedImage{key: key, keys: []string{key}, repository: m.text(key)}
	image = m.complete(image, read.about, false)
	whole := image.String() == trimScheme(m.text(key))
	return image, !whole && image.possible() && !isNoImage(m.text(key))
}

// byName puts an image together that is called name: the map is an image, or has
// registry and tag as well.
func (m mapOfParts) byName(key string) (partedImage, bool) {
	image := partedImage{key: key, keys: []string{key}, repository: m.text(key), whole: true}
	image = m.complete(image, "", true)
	if partAbout(m.fields, imagePart, "") != "" || partAbout(m.fields, repositoryPart, "") != "" {
		return image, false // it is what an image is called that other fields give
	}
	isOne := m.isImage() && (!m.inList || m.has(tagPart, "") || image.digest != "" || m.has(registryPart, "")) ||
		m.has(registryPart, "") && (m.has(tagPart, "") || m.has(versionPart, "") || image.digest != "")
	return image, isOne && image.possible() && !m.hasCredentials()
}

// hasCredentials reports whether a registry is one to log in at.
func (m mapOfParts) hasCredentials() bool {
	return m.fields["username"] != nil || m.fields["password"] != nil
}

// byHub doubts a registry with a path beside a tag, as Istio's hub, where no field
// says the name.
func (m mapOfParts) byHub(key string, others []partedImage) (partedImage, bool) {
	image := partedImage{key: key, keys: []string{key}, repository: m.text(key), whole: true, doubt: doubtNoName}
	image = m.complete(image, "", false)
	if len(others) > 0 || !m.has(tagPart, "") || !strings.Contains(image.repository, "/") || m.hasBelow() {
		return image, false
	}
	return image, image.possible()
}

// hasBelow reports whether an image of a map further in may be the one that a
// registry and tag are of.
func (m mapOfParts) hasBelow() bool {
	for _, value := range m.fields {
		if below, ok := value.(map[string]any); ok {
			inner := mapOfParts{fields: below, around: []map[string]any{m.fields}}
			if len(inner.images()) > 0 || inner.hasBelow() {
				return true
			}
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
