package sizing

import (
	_ "embed"
	"slices"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing/site"
)

// DefaultScenario is the one for staff without internet.
const DefaultScenario site.ScenarioID = "custom-app-on-premises"

// Scenario is one of the guide's ways to run Wire.
type Scenario struct {
	ID         site.ScenarioID `json:"id"`
	OnPremises bool            `json:"onPremises"` // and so whether a bundle is needed
	Custom     bool            `json:"custom"`     // whether Wire builds the clients for the customer
	// Own says that the customer builds with APIs and SDK.
	Own bool `json:"own,omitempty"`
}

// App says whose app it is.
func (s Scenario) App() message.Text { return s.about("app") }

// Backend says where the backend runs.
func (s Scenario) Backend() message.Text { return s.about("backend") }

// When says who wants it.
func (s Scenario) When() message.Text { return s.about("when") }

// Web says what the web app is bound to.
func (s Scenario) Web() message.Text { return s.about("web") }

func (s Scenario) about(what string) message.Text { return say("scenario."+string(s.ID)+"."+what, nil) }

//go:embed scenarios.yaml
var scenarioData []byte

// Scenarios returns the guide's table of deployment scenarios, in its order.
func Scenarios() []Scenario {
	var doc struct {
		Scenarios []Scenario `json:"scenarios"`
	}
	if err := manifests.DecodeStrict("scenarios.yaml", scenarioData, &doc); err != nil {
		panic("sizing: " + err.Error()) // part of the program, and tested
	}
	return doc.Scenarios
}

func scenarioIDs() []site.ScenarioID {
	var ids []site.ScenarioID
	for _, s := range Scenarios() {
		ids = append(ids, s.ID)
	}
	return ids
}

// scenarioOf returns the scenario of an id that was checked.
func scenarioOf(id site.ScenarioID) Scenario {
	all := Scenarios()
	return all[slices.IndexFunc(all, func(s Scenario) bool { return s.ID == id })]
}
