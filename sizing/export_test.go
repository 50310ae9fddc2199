package sizing

// What site_schema_test.go needs. It looks at package preflight, which stands
// above this one, and so is outside of both.
const GoodSite = goodSite

var (
	SiteRules      = siteRules
	RequiredInSite = requiredInSite
	Inline         = inline
)
