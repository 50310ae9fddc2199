package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"regexp"
	"strings"

	"github.com/islandbundle/island/internal/words"
)

//go:embed style.css
var styleSheet string

// HTML is markup that is safe as it stands. Only constants and what a template
// or a [Drawing] made may be turned into it.
type HTML = template.HTML

// Page is a whole HTML file.
type Page struct {
	Language *words.Language
	Kicker   string // small line above the title, such as the kind of report
	Title    string
	Subtitle string
	Meta     []Pair // facts below the title: site, release, date
	Contents []Link // sections to jump to
	Body     HTML
	Foot     string
}

// Pair is a name and what it stands for.
type Pair struct{ Name, Value string }

// Link is a place on the same page.
type Link struct{ ID, Title string }

// The page allows its own style sheet and nothing else: no script, no image, no
// font, no frame, no form, no base, no connection.
const pageFrame = `<!DOCTYPE html>
<html lang="{{.Language.Tag}}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{.Policy}}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{{.Title}}{{with .Subtitle}} · {{.}}{{end}}</title>
{{.Style}}
</head>
<body>
<a class="skip" href="#content">{{.Language.Word "page.skip"}}</a>
<header class="page-head">
{{- with .Kicker}}<p class="kicker">{{.}}</p>{{end}}
<h1>{{.Title}}</h1>
{{- with .Subtitle}}<p class="subtitle">{{.}}</p>{{end}}
{{- with .Meta}}
<dl class="meta">{{range .}}<div><dt>{{.Name}}</dt><dd>{{.Value}}</dd></div>{{end}}</dl>{{end}}
</header>
{{- with .Contents}}
<nav class="contents" aria-label="{{$.Language.Word "page.contents"}}"><ol>
{{- range .}}<li><a href="#{{.ID}}">{{.Title}}</a></li>{{end}}</ol></nav>{{end}}
<main id="content">
{{.Body}}
</main>
{{- with .Foot}}
<footer>{{.}}</footer>{{end}}
</body>
</html>
`

// Render returns the file. The same page gives the same bytes.
func (p Page) Render() ([]byte, error) {
	style := strings.TrimSpace(styleSheet)
	p.Body = breakable(p.Body)
	sum := sha256.Sum256([]byte(style))
	frame, err := template.New("page").Parse(pageFrame)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = frame.Execute(&b, struct {
		Page
		Policy string
		Style  HTML
	}{
		Page: p,
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; base-uri 'none'; form-action 'none'",
		Style: HTML("<style>" + style + "</style>"), //nolint:gosec // the style sheet is a constant of this package
	})
	return b.Bytes(), err
}

// Where lines are broken: marked is what has no text that flows, a picture or a tag; an
// option would be broken behind its dashes; a long name has places of its own.
var (
	marked   = regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]*>`)
	option   = regexp.MustCompile(`--[a-z][a-z-]*`)
	longName = regexp.MustCompile(`[^\s<>]{25,}`)
	joint    = regexp.MustCompile(`[._/]+`)
)

// breakable keeps the options of commands that stand in a text in one piece, and lets
// long names be broken where their parts meet.
func breakable(body HTML) HTML {
	var b strings.Builder
	text := func(s string) {
		s = longName.ReplaceAllStringFunc(s, func(name string) string { return joint.ReplaceAllString(name, "$0<wbr>") })
		b.WriteString(option.ReplaceAllString(s, `<span class="option">$0</span>`))
	}
	rest, last := string(body), 0
	for _, at := range marked.FindAllStringIndex(rest, -1) {
		text(rest[last:at[0]])
		b.WriteString(rest[at[0]:at[1]])
		last = at[1]
	}
	text(rest[last:])
	return HTML(b.String()) //nolint:gosec // the same markup, with constants in it
}
