package manifests

import (
	"fmt"
	"math"
	"regexp"
	"strings"
)

// Severity is a grade of the qualitative rating scale (CVSS v3.1, section 5).
type Severity string

// The grades.
const (
	SeverityNone     Severity = "none"
	SeverityLow      Severity = "low"
	SeverityMedium   Severity = "medium"
	SeverityHigh     Severity = "high"
	SeverityCritical Severity = "critical"
)

var severities = []Severity{SeverityNone, SeverityLow, SeverityMedium, SeverityHigh, SeverityCritical}

// UnmarshalText reads and checks a grade.
func (s *Severity) UnmarshalText(text []byte) error {
	for _, known := range severities {
		if string(known) == string(text) {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("%.40q is not one of none, low, medium, high, critical", text)
}

// Rank returns the grade's place in the scale: 0 for none or not given, 4 for critical.
func (s Severity) Rank() int {
	for rank, known := range severities {
		if known == s {
			return rank
		}
	}
	return 0
}

// CVSS is a score and the vector that it follows from.
type CVSS struct {
	Score  float64 `yaml:"score" json:"score"`                       // 0.0 to 10.0
	Vector string  `yaml:"vector,omitempty" json:"vector,omitempty"` // such as CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
}

// IsZero reports whether no score is given.
func (c CVSS) IsZero() bool { return c == CVSS{} }

// Severity returns the grade for a score (CVSS v3.1, section 5; v4.0 has the same).
func (c CVSS) Severity() Severity {
	switch {
	case c.Score >= 9:
		return SeverityCritical
	case c.Score >= 7:
		return SeverityHigh
	case c.Score >= 4:
		return SeverityMedium
	case c.Score > 0:
		return SeverityLow
	default:
		return SeverityNone
	}
}

var cvssVector = regexp.MustCompile(`^CVSS:(3\.0|3\.1|4\.0)((?:/[A-Z]{1,3}:[A-Z][a-z]*){1,40})$`)

// check makes sure that the score is one, that the vector is readable, and, for
// a vector of version 3 that has base metrics only, that the one follows from
// the other: a score that was mistyped would misplace the patch's urgency.
func (c CVSS) check() error {
	if c.Score < 0 || c.Score > 10 || math.Abs(c.Score*10-math.Round(c.Score*10)) > 1e-9 {
		return fmt.Errorf("CVSS score %v is not one of 0.0 to 10.0", c.Score)
	}
	if c.Vector == "" {
		return nil
	}
	parts := cvssVector.FindStringSubmatch(c.Vector)
	if parts == nil {
		return fmt.Errorf("%.100q is not a CVSS vector of version 3.0, 3.1 or 4.0", c.Vector)
	}
	metrics := map[string]string{}
	for metric := range strings.SplitSeq(parts[2][1:], "/") {
		name, value, _ := strings.Cut(metric, ":")
		if _, twice := metrics[name]; twice {
			return fmt.Errorf("CVSS vector gives %s twice", name)
		}
		metrics[name] = value
	}
	if parts[1] == "4.0" {
		return nil // its score comes from a table of some hundred vectors, not from a formula
	}
	score, err := baseScore(metrics)
	if err != nil {
		return err
	}
	if len(metrics) == len(baseMetrics) && math.Abs(score-c.Score) > 0.05 {
		return fmt.Errorf("CVSS score is %.1f, but the vector makes it %.1f", c.Score, score)
	}
	return nil
}

// baseMetrics are the weights of CVSS v3.1, section 7.4.
var baseMetrics = map[string]map[string]float64{
	"AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
	"AC": {"L": 0.77, "H": 0.44},
	"PR": {"N": 0.85, "L": 0.62, "H": 0.27},
	"UI": {"N": 0.85, "R": 0.62},
	"S":  {"U": 0, "C": 1},
	"C":  {"H": 0.56, "L": 0.22, "N": 0},
	"I":  {"H": 0.56, "L": 0.22, "N": 0},
	"A":  {"H": 0.56, "L": 0.22, "N": 0},
}

// baseScore is the formula of CVSS v3.1, section 7.1.
func baseScore(metrics map[string]string) (float64, error) {
	w := map[string]float64{}
	for _, name := range sortedKeys(baseMetrics) {
		weight, ok := baseMetrics[name][metrics[name]]
		if !ok {
			return 0, fmt.Errorf("CVSS vector has no usable %s", name)
		}
		w[name] = weight
	}
	changed := w["S"] == 1
	if changed {
		w["PR"] = map[string]float64{"N": 0.85, "L": 0.68, "H": 0.5}[metrics["PR"]]
	}
	iss := 1 - (1-w["C"])*(1-w["I"])*(1-w["A"])
	impact, factor := 6.42*iss, 1.0
	if changed {
		impact, factor = 7.52*(iss-0.029)-3.25*math.Pow(iss-0.02, 15), 1.08
	}
	if impact <= 0 {
		return 0, nil
	}
	exploitability := 8.22 * w["AV"] * w["AC"] * w["PR"] * w["UI"]
	return roundUp(math.Min(factor*(impact+exploitability), 10)), nil
}

// roundUp returns the smallest number with one decimal that is not below x
// (CVSS v3.1, appendix A).
func roundUp(x float64) float64 {
	hundredThousandths := int(math.Round(x * 100_000))
	if hundredThousandths%10_000 == 0 {
		return float64(hundredThousandths) / 100_000
	}
	return float64(hundredThousandths/10_000+1) / 10
}
