package manifests

import (
	"net/url"
	"path"
	"strings"
)

// PURL returns the image as a package URL, by which scanners and VEX documents
// name it (purl-spec, types "oci" and "docker"): the digest is that of the
// index or manifest that the name means.
func (i LockedImage) PURL() string {
	qualifiers := "?repository_url=" + url.QueryEscape(i.Name.Name())
	if i.Name.Tag != "" {
		qualifiers += "&tag=" + url.QueryEscape(i.Name.Tag)
	}
	return "pkg:oci/" + url.PathEscape(strings.ToLower(path.Base(i.Name.Repository))) + "@" + url.QueryEscape(string(i.Digest)) + qualifiers
}

// PURL returns the chart as a package URL.
func (c LockedChart) PURL() string {
	purl := "pkg:helm/" + url.PathEscape(c.Name) + "@" + url.QueryEscape(c.Version)
	if strings.Contains(c.Repo, "://") {
		purl += "?repository_url=" + url.QueryEscape(c.Repo)
	}
	return purl
}

// PURL returns the file as a package URL of the type "generic".
func (f LockedFile) PURL() string {
	purl := "pkg:generic/" + url.PathEscape(path.Base(string(f.Path))) + "?checksum=" + url.QueryEscape(string(f.Content.Digest))
	if strings.HasPrefix(f.Content.URL, "https://") || strings.HasPrefix(f.Content.URL, "http://") {
		purl += "&download_url=" + url.QueryEscape(f.Content.URL)
	}
	return purl
}

// PURL returns the release as a package URL of the type "generic".
func (r LockedRelease) PURL() string {
	return "pkg:generic/" + url.PathEscape(r.Name) + "@" + url.QueryEscape(r.Version)
}
