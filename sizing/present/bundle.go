package present

import (
	"cmp"
	"errors"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
)

// The names that a bundle gives to what [ForBundle] makes.
const (
	BundleReportJSON = "sizing/report.json"
	BundleReportHTML = "sizing/report.html"
	BundleTable      = "sizing/table.yaml"
)

// BundleInput is what the report that travels in a bundle is made from.
type BundleInput struct {
	Lock *manifests.Lock
	Site *site.Site // checked
	// TableFile and TableData are the hardware table, as it lies in a file. The one
	// that the site names is taken if there is no data.
	TableFile string
	TableData []byte
	Language  *words.Language
	Tool      string // for the report
}

// BundleFiles are the entries of a bundle below sizing/. The same input gives
// the same bytes.
type BundleFiles struct {
	JSON  []byte // BundleReportJSON
	HTML  []byte // BundleReportHTML
	Table []byte // BundleTable: the very table that the report was made with
}

// ForBundle makes the sizing report of a release for a site, with the
// footprint that the lock gives.
func ForBundle(in BundleInput) (BundleFiles, error) {
	if in.Lock == nil || in.Site == nil {
		return BundleFiles{}, errors.New("a sizing report in a bundle wants a lock and a site")
	}
	if err := in.Site.Check("site", sizing.SiteNames()); err != nil {
		return BundleFiles{}, err
	}
	table, data, err := tableFor(in.Site, in.TableFile, in.TableData)
	if err != nil {
		return BundleFiles{}, err
	}
	if err := table.CheckSite(in.Site); err != nil {
		return BundleFiles{}, err
	}
	r := sizing.Calculate(sizing.Input{Site: in.Site, Table: table, TableDigest: manifests.DigestOf(data), Lock: in.Lock, Tool: in.Tool})
	files := BundleFiles{Table: data}
	if files.JSON, err = JSON(r, in.Language); err != nil {
		return BundleFiles{}, err
	}
	files.HTML, err = HTML(r, in.Language)
	return files, err
}

// tableFor reads the table in data, else gives the one that the site names,
// else the guide's.
func tableFor(site *site.Site, file string, data []byte) (*sizing.Table, []byte, error) {
	if data == nil {
		return sizing.Embedded(cmp.Or(site.Table, sizing.DefaultTable))
	}
	table, err := sizing.ReadTable(file, data)
	return table, data, err
}
