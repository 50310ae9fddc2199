package present

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing/preflight"
)

type testSuites struct {
	XMLName xml.Name    `xml:"testsuites"`
	Suites  []testSuite `xml:"testsuite"`
}

type testSuite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Time     string     `xml:"timestamp,attr"`
	Cases    []testCase `xml:"testcase"`
}

type testCase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Failure *problem `xml:"failure"`
	Error   *problem `xml:"error"`
	Skipped *problem `xml:"skipped"`
	Output  string   `xml:"system-out,omitempty"`
}

type problem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// caseName tells a finding from the others of its suite: by what it is about, and where
// that is nothing, by the roles.
func caseName(f preflight.Finding) string {
	name := f.ID
	switch about := plain(f.Object); {
	case about != "":
		name += " " + about
	case f.Host == "" && len(f.Roles) > 0:
		name += " " + strings.Join(f.Roles, " ")
	}
	return name
}

// free returns a name that no case of the suite has yet: what is tried from several hosts
// can end in several ways. Programs that show reports keep one case of each name.
func (s *testSuite) free(name string) string {
	free := name
	taken := func(c testCase) bool { return c.Name == free }
	for n := 2; slices.ContainsFunc(s.Cases, taken); n++ {
		free = fmt.Sprintf("%s (%d)", name, n)
	}
	return free
}

// JUnit writes a report as JUnit XML, one suite for each host and one for the
// site. A warning passes, with its text as output, since the format has none.
func JUnit(w io.Writer, r *preflight.Verdict) error {
	english := words.English()
	suites := testSuites{Suites: []testSuite{}}
	for _, f := range r.Findings {
		host := f.Host
		if host == "" {
			host = "site"
		}
		i := slices.IndexFunc(suites.Suites, func(s testSuite) bool { return s.Name == printable.Line(host) })
		if i < 0 {
			i = len(suites.Suites)
			suites.Suites = append(suites.Suites, testSuite{Name: printable.Line(host), Time: r.Taken.Format(time.RFC3339)})
		}
		suite := &suites.Suites[i]
		c := testCase{Class: "preflight." + f.ID, Name: suite.free(printable.Line(caseName(f)))}
		message := english.Text(f.Sentence())
		if f.Waived != "" {
			message += " (waived: " + f.Waived + ")"
		}
		p := &problem{Message: printable.Line(message), Type: f.ID, Text: printable.Line(english.Text(f.Remedy))}
		suite.Tests++
		switch f.Outcome {
		case preflight.Fail:
			c.Failure = p
			suite.Failures++
		case preflight.Error:
			c.Error = p
			suite.Errors++
		case preflight.Skipped:
			c.Skipped = p
			suite.Skipped++
		case preflight.Warn:
			c.Output = p.Message
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(suites); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
