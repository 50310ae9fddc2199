package preflight

import (
	_ "embed"
	"fmt"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/site"
)

//go:embed checks.yaml
var checksFile []byte

// Check is what checks.yaml says of one check.
type Check struct {
	ID     string             `json:"id"`
	Source string             `json:"source"`
	Groups []string           `json:"groups,omitempty"` // of the hosts that it is for; all if empty
	Limits map[string]float64 `json:"limits,omitempty"`
	// Required names what findings say is required, where they have nothing more exact.
	Required string `json:"required,omitempty"`
}

// Title names what the check looks at, and does not say how that is.
func (c *Check) Title() message.Text { return message.Of("preflight.check."+c.ID+".title", nil) }

// Bad says what is so where it fails or warns.
func (c *Check) Bad() message.Text { return message.Of("preflight.check."+c.ID+".bad", nil) }

// Why says what the check is good for.
func (c *Check) Why() message.Text { return message.Of("preflight.check."+c.ID+".why", nil) }

// Remedy says what to do where the check does not pass.
func (c *Check) Remedy() message.Text { return message.Of("preflight.check."+c.ID+".remedy", nil) }

// source says whose requirement it is. Programs are told its id.
func (c *Check) source() message.Text {
	return message.Named("preflight.source."+c.Source, c.Source)
}

// required says what is required of all that the check looks at; nothing if that
// differs.
func (c *Check) required() message.Text {
	if c.Required == "" {
		return message.Text{}
	}
	return message.Of("preflight.required."+c.Required, nil)
}

// Checks are all checks in their order.
type Checks struct {
	APIVersion string  `json:"apiVersion"`
	Kind       string  `json:"kind"` // Checks
	Checks     []Check `json:"checks"`

	byID map[string]*Check
}

// AllChecks returns the checks that the program brings.
func AllChecks() (*Checks, error) {
	var c Checks
	if err := manifests.DecodeStrict("checks.yaml", checksFile, &c); err != nil {
		return nil, err
	}
	c.byID = map[string]*Check{}
	for i := range c.Checks {
		check := &c.Checks[i]
		switch {
		case !site.IsID(check.ID) || c.byID[check.ID] != nil:
			return nil, fmt.Errorf("checks.yaml: id %q is not a name, or stands twice", check.ID)
		case check.Source == "":
			return nil, fmt.Errorf("checks.yaml: %s lacks its source", check.ID)
		}
		c.byID[check.ID] = check
	}
	return &c, nil
}

// Check returns a check by its id, or nil.
func (c *Checks) Check(id string) *Check { return c.byID[id] }

// withLimits returns the checks with a site's own limits in place of theirs.
func (c *Checks) withLimits(limits map[string]map[string]float64) (*Checks, error) {
	result := &Checks{Checks: append([]Check(nil), c.Checks...), byID: map[string]*Check{}}
	for i := range result.Checks {
		check := &result.Checks[i]
		result.byID[check.ID] = check
		own := limits[check.ID]
		if len(own) == 0 {
			continue
		}
		merged := map[string]float64{}
		for name, value := range check.Limits {
			merged[name] = value
		}
		for name, value := range own {
			if _, known := merged[name]; !known || value < 0 {
				return nil, fault.New(fault.Usage, fault.Here, "limits of "+check.ID, "docs/preflight.md lists the limits",
					"check has no limit %.40q, or the value is negative", name)
			}
			merged[name] = value
		}
		if err := wantSense(check, merged); err != nil {
			return nil, err
		}
		check.Limits = merged
	}
	for id := range limits {
		if result.byID[id] == nil {
			return nil, fault.New(fault.Usage, fault.Here, "limits", "docs/preflight.md lists the checks", "no check has the id %.60q", id)
		}
	}
	return result, nil
}

// wantSense refuses limits of a site's own that contradict themselves: more than all
// of something, or a warning where it already fails. Which way is worse, the check's
// own limits say.
func wantSense(check *Check, own map[string]float64) error {
	turned := func(less, more string) bool {
		return (check.Limits[less] < check.Limits[more]) != (own[less] < own[more]) && own[less] != own[more]
	}
	flaw := ""
	switch {
	case own["percent"] > 100:
		flaw = "more than 100 percent"
	case turned("warn", "fail"):
		flaw = "warn and fail are the wrong way round"
	case turned("first", "last"):
		flaw = "first and last are the wrong way round"
	case own["last"] > site.MaxPort:
		flaw = fmt.Sprintf("no port is above %d", site.MaxPort)
	}
	if flaw == "" {
		return nil
	}
	return fault.New(fault.Usage, fault.Here, "limits of "+check.ID, "docs/preflight.md lists the limits", "%s", flaw)
}
