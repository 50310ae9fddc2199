// Package preflight judges whether an island can be installed on the machines
// of a site.
//
// Collecting and judging are never one step. What was collected is a
// [facts.Survey]; judging is [Judge], a pure function of a survey, a hardware
// table, the table of ports, what the site promised, and a policy. So saved
// facts can be judged again, elsewhere, later, against another table.
//
// Every check stands in checks.yaml with the source of its requirement and its
// limits, and in the catalogues of package words with its title, its reason and
// its remedy; every port in package site's ports.yaml. A [Finding] has one of five outcomes: pass, warn, fail, error (could not be
// measured) and skipped (with why). What cannot be proven from within a guest
// is skipped and says so; it never passes.
package preflight
