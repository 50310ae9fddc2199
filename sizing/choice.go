package sizing

import (
	"cmp"
	"slices"

	"github.com/islandbundle/island/sizing/site"
)

// choice returns what follows from the deployment scenario.
func (c *calculation) choice() Choice {
	s := c.scenario
	choice := Choice{
		ID: s.ID, App: c.lang.Of(s.App), Backend: c.lang.Of(s.Backend), When: c.lang.Of(s.When), Web: c.lang.Of(s.Web),
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
	l := c.lang
	chosen := cmp.Or(c.site.Push, site.PushNone)
	return []PushRow{
		{site.PushWire, l.T("through Wire's account at AWS SNS", "über das Konto von Wire bei AWS SNS"), !island, chosen == site.PushWire},
		{site.PushOwn, l.T("through your own account at AWS SNS", "über ein eigenes Konto bei AWS SNS"), !island, chosen == site.PushOwn},
		{site.PushNone, l.T("none: clients keep a WebSocket open (desktop and Android; not iOS)", "keine: Clients halten einen WebSocket offen (Desktop und Android; nicht iOS)"), true, chosen == site.PushNone},
	}
}

func clientTitle(client site.Client, web string) string {
	switch client {
	case site.ClientWeb:
		return web
	case site.ClientWindows:
		return "Windows"
	case site.ClientMacOS:
		return "macOS"
	case site.ClientLinux:
		return "Linux"
	case site.ClientAndroid:
		return "Android"
	default:
		return "iOS"
	}
}

// toHand says how an app reaches people.
func (c *calculation) toHand(client site.Client, island bool) ToHand {
	l, custom := c.lang, c.scenario.Custom
	t := ToHand{Client: client, Title: clientTitle(client, l.T("Web", "Web"))}
	switch {
	case client == site.ClientWeb:
		t.Text = c.lang.Of(c.scenario.Web)
		if c.scenario.OnPremises {
			t.Text += l.T(" Nothing to hand out.", " Nichts zu verteilen.")
		}
	case client == site.ClientIOS && island:
		t.Text = l.T("No push on an island, so no iOS app that is woken by messages. How it is installed without internet, ask Wire.", "Keine Push-Nachrichten auf einer Insel, also keine iOS-App, die durch Nachrichten geweckt wird. Wie sie ohne Internet installiert wird: Wire fragen.")
	case client == site.ClientIOS && custom:
		t.Text = l.T("A custom app is given out through Apple Business Manager.", "Eine eigene App wird über den Apple Business Manager verteilt.")
	case island || c.scenario.OnPremises && custom:
		t.File = true
		t.Text = l.T("Deliver the precompiled build; devices get it from your own servers (EMM/MDM).", "Den fertigen Build mitliefern; Geräte laden ihn von eigenen Servern (EMM/MDM).")
	default:
		t.Text = l.T("From Wire's own download pages or the public app store.", "Von den Download-Seiten von Wire oder aus dem öffentlichen App-Store.")
	}
	return t
}

// choiceFindings tells what the scenario and the chosen options do not allow.
func (c *calculation) choiceFindings(choice Choice) {
	l := c.lang
	if !choice.OnPremises {
		c.find("scenario.no-bundle", Info, l.T("This scenario runs on Wire's cloud: no bundle and no servers of your own are needed.", "Dieses Szenario läuft in der Wire-Cloud: Es werden weder ein Bundle noch eigene Server benötigt."), "")
		if c.scenario.ID == "custom-functionality-cloud" {
			c.find("scenario.not-fully-supported", Ask, l.T("Custom functionality is not fully supported.", "Eigene Funktionen werden nicht vollständig unterstützt."), l.T("ask Wire", "Wire fragen"))
		}
		return
	}
	if choice.Island {
		c.find("scenario.island", Info, l.T("This is an island: its users reach only each other. It wins privacy and security, and makes installing, updating and patching harder; all of it comes by bundle.", "Dies ist eine Insel: Ihre Nutzer erreichen nur einander. Das bringt Vertraulichkeit und Sicherheit, erschwert aber Installation, Updates und Patches; alles kommt per Bundle."), "")
		c.islandFindings()
	} else if c.site.Push == "" {
		c.find("push.open", Ask, l.T("No push option is chosen.", "Es ist keine Push-Variante gewählt."), l.T("choose A (Wire's AWS SNS), B (your own AWS SNS) or C (none)", "A (AWS SNS von Wire), B (eigenes AWS SNS) oder C (keine) wählen"))
	}
	if c.site.Mail == "" {
		c.find("mail.open", Ask, l.T("It is not decided who delivers mail: registration and password resets need it.", "Es ist nicht entschieden, wer E-Mails zustellt: Registrierung und Passwort-Zurücksetzen benötigen es."), l.T("say external (your own relay) or bundled", "external (eigenes Relay) oder bundled (mitgeliefert) angeben"))
	}
	if c.site.Mail == site.MailExternal && choice.Island {
		c.find("mail.external", Info, l.T("The external mail relay must be reachable from the island itself.", "Das externe Mail-Relay muss von der Insel selbst erreichbar sein."), "")
	}
	if c.site.Federation {
		c.find("federation", Info, l.T("Federation needs DNS names for the federator, with an SRV record, TCP 443, and 9191 (DTLS) for calls between backends.", "Föderation benötigt DNS-Namen für den Federator mit SRV-Eintrag, TCP 443 und 9191 (DTLS) für Gespräche zwischen Backends."), "")
	}
}

func (c *calculation) islandFindings() {
	l := c.lang
	if c.site.Push == site.PushWire || c.site.Push == site.PushOwn {
		c.find("push.island", Fail, l.F("Push option %s needs Amazon's servers, which an island does not reach.", "Push-Variante %s benötigt Server von Amazon, die eine Insel nicht erreicht.", c.site.Push), l.T("only C is possible: clients keep a WebSocket open", "nur C ist möglich: Clients halten einen WebSocket offen"))
	}
	level, hint := Info, ""
	if slices.Contains(c.site.Clients, site.ClientIOS) {
		level, hint = Warn, l.T("plan other devices for those who must be woken by a message", "andere Geräte für alle vorsehen, die durch Nachrichten geweckt werden müssen")
	}
	c.find("push.ios", level, l.T("iOS has no push notifications on an island: option C does not cover it. Desktop and Android use WebSockets.", "iOS hat auf einer Insel keine Push-Nachrichten: Variante C deckt es nicht ab. Desktop und Android nutzen WebSockets."), hint)
	if !c.scenario.Custom {
		c.find("scenario.public-app", Warn, l.T("The guide's scenario for staff without internet is the custom app: the public app comes from stores that an island does not reach.", "Der Leitfaden sieht für Mitarbeitende ohne Internet die eigene App vor: Die öffentliche App kommt aus Stores, die eine Insel nicht erreicht."), l.T("take scenario custom-app-on-premises, or make sure that devices get the app before they join", "Szenario custom-app-on-premises wählen oder sicherstellen, dass Geräte die App vorher erhalten"))
	}
}
