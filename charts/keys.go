package charts

import (
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
)

// Making RSA keys takes most of the time of many a chart. What comes out is
// random, so that no image can depend on it; for finding images any text does
// as well.

// An upgrade demands what the installation left in the cluster, passwords above
// all. Nobody has it here, and no image is in it: what fails without it may go
// on.

// keyMaker is a function of Sprig that makes keys or certificates ("Sprig
// Function Documentation", "Cryptographic and Security Functions"), inside of
// an action and outside of its strings.
var (
	templateAction = regexp.MustCompile(`(?s)\{\{(?:"(?:[^"\\]|\\.)*"|` + "`[^`]*`" + `|[^"` + "`" + `])*?\}\}`)
	keyMaker       = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|` + "`[^`]*`" + `|[.$]?[A-Za-z_][A-Za-z0-9_]*`)

	// A text with none of these has no such function.
	keyMakers = []string{"genCA", "genPrivateKey", "genSelfSigned", "genSigned"}
)

// Both take the arguments of the function they stand for: a map as further
// entries, which nobody asks for, and print as more of the text.
const (
	noCertificate = `dict "Cert" "` + stubText + `" "Key" "` + stubText + `"`
	noKey         = `print "` + stubText + `"`
)

// Both stand for a function that ends the rendering, and take its arguments: a
// message, of which nothing is left, and a message in the place of a value.
const (
	noFailure     = "trunc 0"
	noRequirement = "default"
)

// withoutKeys puts texts in the place of keys in the templates of a chart that
// has been loaded for one rendering.
func withoutKeys(loaded *chart.Chart) { replaceFunctions(loaded, keyMakers, withoutKey) }

func withoutKey(function string) string {
	switch function {
	case "genPrivateKey":
		return noKey
	case "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey":
		return noCertificate
	}
	return function
}

// withoutDemands lets templates go on where they would fail.
func withoutDemands(loaded *chart.Chart) {
	replaceFunctions(loaded, []string{"fail", "required"}, withoutDemand)
}

func withoutDemand(function string) string {
	switch function {
	case "fail":
		return noFailure
	case "required":
		return noRequirement
	}
	return function
}

// replaceFunctions puts others in the place of functions in all templates. A text
// with none of the hints has none of them.
func replaceFunctions(loaded *chart.Chart, hints []string, other func(string) string) {
	for _, template := range loaded.Templates {
		text := string(template.Data)
		if slices.ContainsFunc(hints, func(name string) bool { return strings.Contains(text, name) }) {
			template.Data = []byte(replaceWords(text, other))
		}
	}
	for _, sub := range loaded.Dependencies() {
		replaceFunctions(sub, hints, other)
	}
}

func replaceWords(text string, other func(string) string) string {
	return templateAction.ReplaceAllStringFunc(text, func(action string) string {
		return keyMaker.ReplaceAllStringFunc(action, other)
	})
}
