package sizing

import (
	"cmp"
	"slices"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/site"
)

// choice returns what follows from the deployment scenario.
func (c *calculation) choice() Choice {
	s := c.scenario
	choice := Choice{
		ID: s.ID, App: s.App(), Backend: s.Backend(), When: s.When(), Web: s.Web(),
		OnPremises: s.OnPremises, Island: s.OnPremises && !c.site.Internet, Push: []PushRow{}, Clients: []ToHand{},
	}
	if s.OnPremises {
		choice.Push = c.pushRows(choice.Island)
	}
	for _, client := range c.clients() {
		choice.Clients = append(choice.Clients, c.toHand(client, choice.Island))
	}
	return choice
}

func (c *calculation) clients() []site.Client {
	if len(c.site.Clients) > 0 {
		return c.site.Clients
	}
	return site.Clients()
}

// pushRows returns the guide's options. An island can only have none.
func (c *calculation) pushRows(island bool) []PushRow {
	chosen := c.site.Push
	if island { // which can have no other
		chosen = cmp.Or(chosen, site.PushNone)
	}
	return []PushRow{
		{site.PushWire, say("push.wire", nil), !island, chosen == site.PushWire},
		{site.PushOwn, say("push.own", nil), !island, chosen == site.PushOwn},
		{site.PushNone, say("push.none", nil), true, chosen == site.PushNone},
	}
}

func clientTitle(client site.Client) message.Text {
	switch client {
	case site.ClientWeb:
		return say("client.web.title", nil)
	case site.ClientWindows:
		return message.Plain("Windows")
	case site.ClientMacOS:
		return message.Plain("macOS")
	case site.ClientLinux:
		return message.Plain("Linux")
	case site.ClientAndroid:
		return message.Plain("Android")
	default:
		return message.Plain("iOS")
	}
}

// toHand says how an app reaches people.
func (c *calculation) toHand(client site.Client, island bool) ToHand {
	custom := c.scenario.Custom
	t := ToHand{Client: client, Title: clientTitle(client)}
	switch {
	case client == site.ClientWeb && c.scenario.OnPremises:
		t.Text = say("client.web.installed", args{"web": c.scenario.Web()})
	case client == site.ClientWeb:
		t.Text = c.scenario.Web()
	case c.scenario.Own:
		t.Text = say("client.own", nil)
	case client == site.ClientIOS && island:
		t.Text = say("client.ios.island", nil)
	case client == site.ClientIOS && custom:
		t.Text = say("client.ios.custom", nil)
	case custom && !c.scenario.OnPremises:
		t.File = true
		t.Text = say("client.built", nil)
	case island || custom:
		t.File = true
		t.Text = say("client.file", nil)
	default:
		t.Text = say("client.download", nil)
	}
	return t
}

// choiceFindings reports what the scenario and the chosen options do not allow.
func (c *calculation) choiceFindings(choice Choice) {
	if !choice.OnPremises {
		if !c.site.Internet {
			c.advise("scenario.no-way-to-cloud", Fail, say("finding.scenario.no-way-to-cloud.text", nil),
				say("finding.scenario.no-way-to-cloud.hint", nil))
		}
		c.find("scenario.no-bundle", Info, say("finding.scenario.no-bundle.text", nil))
		c.find("onboarding", Info, say("finding.onboarding.text", nil))
		if c.scenario.Own {
			c.advise("scenario.not-fully-supported", Ask, say("finding.scenario.not-fully-supported.text", nil),
				say("finding.scenario.not-fully-supported.hint", nil))
		}
		if c.scenario.Custom {
			c.advise("scenario.custom-app", Ask, say("finding.scenario.custom-app.text", nil), say("finding.scenario.custom-app.hint", nil))
		}
		return
	}
	if choice.Island {
		c.find("onboarding", Info, say("finding.onboarding.island", nil))
	} else {
		c.find("onboarding", Info, say("finding.onboarding.text", nil))
	}
	if choice.Island {
		c.find("scenario.island", Info, say("finding.scenario.island.text", nil))
		c.islandFindings()
	} else if c.site.Push == "" {
		c.advise("push.open", Ask, say("finding.push.open.text", nil), say("finding.push.open.hint", nil))
	}
	if choice.Island || c.site.Push == site.PushNone {
		c.iosFinding(choice.Island)
	}
	if c.site.Mail == "" {
		c.advise("mail.open", Ask, say("finding.mail.open.text", nil), say("finding.mail.open.hint", nil))
	}
	if c.site.Mail == site.MailExternal && choice.Island {
		c.find("mail.external", Info, say("finding.mail.external.text", nil))
	}
	if c.site.Federation {
		c.find("federation", Info, say("finding.federation.text", nil))
	}
}

func (c *calculation) islandFindings() {
	if c.site.Push == site.PushWire || c.site.Push == site.PushOwn {
		c.advise("push.island", Fail, say("finding.push.island.text", args{"option": string(c.site.Push)}), say("finding.push.island.hint", nil))
	}
	if !c.scenario.Custom {
		c.advise("scenario.public-app", Warn, say("finding.scenario.public-app.text", nil), say("finding.scenario.public-app.hint", nil))
	}
}

// iosFinding says that iOS has no push notifications where the option is none.
func (c *calculation) iosFinding(island bool) {
	ios, hint := say("finding.push.ios.text", nil), say("finding.push.ios.hint", nil)
	if !island {
		ios, hint = say("finding.push.ios.chosen", nil), say("finding.push.ios.other", nil)
	}
	if slices.Contains(c.site.Clients, site.ClientIOS) {
		c.advise("push.ios", Warn, ios, hint)
	} else {
		c.find("push.ios", Info, ios)
	}
}
