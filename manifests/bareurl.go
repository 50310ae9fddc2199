package manifests

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// plainParameters are the parameters of a query that say what is meant and let
// nobody in. All others may be secrets: there is no end of names for these
// (private_token, X-Amz-Signature, sig, apikey …).
var plainParameters = []string{
	"accept", "alt", "arch", "archive", "at", "branch", "channel", "checksum", "commit", "dl", "download", "export", "ext", "file",
	"filename", "format", "id", "inline", "name", "os", "package", "path", "plain", "platform", "product", "raw", "ref", "ref_type",
	"rev", "revision", "sanitize", "tag", "type", "v", "version",
}

// BareURL returns a URL as it may be told and kept: without user information,
// without a fragment, and without the parameters of its query that may be
// secrets. What is no http, https or oci URL comes back as it is; one that cannot be
// read keeps its scheme alone.
func BareURL(raw string) string {
	scheme, rest, isURL := strings.Cut(raw, "://")
	switch strings.ToLower(scheme) {
	case "http", "https", "oci":
	default:
		return raw
	}
	if !isURL {
		return raw
	}
	if _, err := url.Parse(raw); err != nil {
		return scheme + "://"
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, slash := strings.Cut(rest, "/")
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	if slash {
		authority += "/"
	}
	if query = plainQuery(query); query != "" {
		query = "?" + query
	}
	return scheme + "://" + authority + path + query
}

// BareName returns a name without secrets that may be a URL, or the name of a
// repository or image in front of which user information stands by mistake.
func BareName(name string) string {
	scheme, _, isURL := strings.Cut(name, "://")
	before, _, at := strings.Cut(name, "@")
	switch {
	case isURL && slices.Contains([]string{"http", "https", "oci"}, strings.ToLower(scheme)):
		return BareURL(name)
	case isURL:
		return RedactURLs(name)
	case at && strings.Contains(before, ":"), strings.Contains(name, "?"):
		return strings.TrimPrefix(RedactURLs("oci://"+strings.TrimPrefix(name, "//")), "oci://")
	default:
		return name
	}
}

// plainQuery keeps what of a query is no secret.
func plainQuery(query string) string {
	var plain []string
	for parameter := range strings.SplitSeq(query, "&") {
		if IsPlainParameter(parameter) {
			plain = append(plain, parameter)
		}
	}
	return strings.Join(plain, "&")
}

// IsPlainParameter reports whether a parameter of a query, NAME=VALUE, says what is
// meant and is no secret.
func IsPlainParameter(parameter string) bool {
	name, _, _ := strings.Cut(parameter, "=")
	return slices.Contains(plainParameters, strings.ToLower(name)) && !strings.Contains(parameter, ";")
}

var urlPattern = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)([^\s"'<>]*)`)

// RedactURLs takes user information, query and fragment off every URL in a text.
func RedactURLs(text string) string {
	return urlPattern.ReplaceAllStringFunc(text, func(s string) string {
		scheme, rest, _ := strings.Cut(s, "://")
		if cut := strings.IndexAny(rest, "?#"); cut >= 0 {
			rest = rest[:cut]
		}
		authority, path, slash := strings.Cut(rest, "/")
		if strings.Contains(path, "@") && !isHost(authority) { // a password with a slash in it
			return scheme + "://…"
		}
		authority = authority[strings.LastIndexByte(authority, '@')+1:]
		if !isHost(authority) { // one with a question mark
			return scheme + "://…"
		}
		if slash {
			authority += "/"
		}
		return scheme + "://" + authority + path
	})
}

// isHost reports whether a URL with this authority can be read.
func isHost(authority string) bool {
	_, err := url.Parse("x://" + authority)
	return err == nil
}

// MapURLs changes the URLs of a release in place: those of chart repositories,
// aliases of them included, those of files, and those that only tell something.
func (r *Release) MapURLs(repository, file, told func(string) string) {
	mapURLs(r.Charts, r.Files, repository, file, told)
	for alias, meant := range r.Aliases {
		r.Aliases[alias] = repository(meant)
	}
}

// MapURLs changes the URLs of a patch in place, as [Release.MapURLs] does.
func (p *Patch) MapURLs(repository, file, told func(string) string) {
	mapURLs(p.Changes.Charts, p.Changes.Files, repository, file, told)
	mapURLs(p.Changes.Add.Charts, p.Changes.Add.Files, repository, file, told)
}

func mapURLs(charts []Chart, files []File, repository, file, told func(string) string) {
	for i := range charts {
		charts[i].Repo = repository(charts[i].Repo)
		charts[i].Meta.CommitURL = told(charts[i].Meta.CommitURL)
	}
	for i := range files {
		files[i].URL = file(files[i].URL)
	}
}

// MapURLs changes the URLs of a lock in place.
func (l *Lock) MapURLs(change func(string) string) {
	for i := range l.Charts {
		chart := &l.Charts[i]
		chart.Repo, chart.Content.URL = change(chart.Repo), change(chart.Content.URL)
		if chart.Meta != nil {
			meta := *chart.Meta
			meta.CommitURL = change(meta.CommitURL)
			chart.Meta = &meta
		}
	}
	for i := range l.Files {
		l.Files[i].Content.URL = change(l.Files[i].Content.URL)
	}
	for i := range l.Blobs {
		l.Blobs[i].URL = change(l.Blobs[i].URL)
	}
}
