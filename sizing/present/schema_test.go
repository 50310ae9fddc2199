package present

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/schema/schematest"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
	"github.com/islandbundle/island/sizing/sizingtest"
)

func TestReportSchemaDescribesReports(t *testing.T) {
	schema := schematest.Compile(t, filepath.Join("..", "..", "docs", "sizing-report.schema.json"))
	cloud := someSite(t, 5, "none")
	cloud.Scenario = "public-app-cloud"
	servers := someSite(t, 5, "3x5")
	servers.Servers = []site.Server{{Name: "a", Cores: 8, Memory: 64 << 30, Machines: []site.SiteVM{{Name: "m", Role: site.MinIO}}}}
	for name, r := range map[string]*sizing.Report{
		"guide":   calculate(t, someSite(t, 2500, "10x8,2x50"), "guide"),
		"cloud":   calculate(t, cloud, "guide"),
		"demo":    calculate(t, someSite(t, 5, "none"), "demo"),
		"servers": calculate(t, servers, "guide"),
		"whole": sizing.Calculate(sizing.Input{
			Site: someSite(t, 2500, "10x8"), Table: tableWithFactors(t), Lock: sizingtest.Lock(t, 1e9),
			Against: []sizing.Existing{{Name: "m", Role: site.MinIO, Cores: 1}},
		}),
	} {
		data, err := JSON(r, language(t, "de"))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(schematest.Parse(t, data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, bad := range []struct{ old, new string }{{`"kind": "SizingReport"`, `"kind": "Report"`}, {`"findings": [`, `"finding": [`}} {
			altered := strings.Replace(string(data), bad.old, bad.new, 1)
			if schema.Validate(schematest.Parse(t, []byte(altered))) == nil {
				t.Errorf("%s: the schema accepts %s", name, bad.new)
			}
		}
	}
}
