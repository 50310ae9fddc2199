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

// withoutKeys puts texts in the place of keys in the templates of a chart that
// has been loaded for one rendering.
func withoutKeys(loaded *chart.Chart) {
	for _, template := range loaded.Templates {
		text := string(template.Data)
		if slices.ContainsFunc(keyMakers, func(name string) bool { return strings.Contains(text, name) }) {
			template.Data = []byte(replaceKeyMakers(text))
		}
	}
	for _, sub := range loaded.Dependencies() {
		withoutKeys(sub)
	}
}

func replaceKeyMakers(text string) string {
	return templateAction.ReplaceAllStringFunc(text, func(action string) string {
		return keyMaker.ReplaceAllStringFunc(action, func(word string) string {
			switch word {
			case "genPrivateKey":
				return noKey
			case "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey":
				return noCertificate
			}
			return word
		})
	})
}
