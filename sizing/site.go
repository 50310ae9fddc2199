package sizing

import "github.com/islandbundle/island/sizing/site"

// SiteNames returns the names of hardware tables and scenarios that site
// documents may use.
func SiteNames() site.Names { return site.Names{Tables: Names(), Scenarios: scenarioIDs()} }

// ReadSite reads a site document that is to be calculated. Every flaw is a
// Usage error with its field. file only names the place.
func ReadSite(file string, data []byte) (*site.Site, error) {
	return site.ReadWhole(file, data, SiteNames())
}
