// Package present prints a sizing report: as text for a terminal, as JSON, and
// as one HTML page, in a language of package words; and makes what a bundle
// carries of it.
// It calculates nothing: every number stands in the report, only pictures add
// some up again along their axes.
package present
