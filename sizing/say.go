package sizing

import (
	"maps"
	"sync"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/site"
)

// args fill the gaps of a message.
type args = message.Args

// say makes a message of a code below sizing in the catalogues of package words.
func say(code string, with args) message.Text { return message.Of("sizing."+code, with) }

// Given is a text as a table gives it, by language tag. English is always there.
type Given map[string]string

// complete reports whether English is given, and no language without words.
func (g Given) complete() bool {
	for _, words := range g {
		if words == "" {
			return false
		}
	}
	return g["en"] != ""
}

// text is what a table says. Where that is what the program's own tables say at
// the same place, the catalogues have further languages for it.
func (g Given) text(place string) message.Text {
	t := message.Text{Given: g}
	if ownTexts()[place]["en"] == g["en"] {
		t.Code = "sizing.table." + place
	}
	return t
}

// Name is what the table calls the role. Where the program's own tables call it
// the same, the catalogues have further languages for it.
func (r Requirement) Name() message.Text {
	if ownTitles()[r.Role] == r.Title {
		return message.Of("role."+string(r.Role), nil)
	}
	return message.Plain(r.Title)
}

// ownTables are the tables that the program brings.
var ownTables = sync.OnceValue(func() []*Table {
	var own []*Table
	for _, name := range Names() {
		table, _, err := Embedded(name)
		if err != nil {
			panic("sizing: " + err.Error()) // part of the program, and tested
		}
		own = append(own, table)
	}
	return own
})

// ownTexts are the texts of all of them, by their place.
var ownTexts = sync.OnceValue(func() map[string]Given {
	own := map[string]Given{}
	for _, table := range ownTables() {
		maps.Copy(own, table.texts())
	}
	return own
})

// ownTitles are what they call roles.
var ownTitles = sync.OnceValue(func() map[site.Role]string {
	own := map[site.Role]string{}
	for _, table := range ownTables() {
		for _, r := range table.Requirements() {
			own[r.Role] = r.Title
		}
	}
	return own
})

// texts are what a table says in reports, by the place where it stands. A
// footnote goes by its source as well: each table counts its own. So do others of which
// sources say different things.
func (t *Table) texts() map[string]Given {
	all := map[string]Given{placeOfTitle(t): t.Title, t.placeOfUsers(): t.Rules.Users.Text}
	if t.Draft != nil {
		all[t.Draft.place()] = t.Draft.Text
	}
	for _, note := range t.Notes {
		all[note.place()] = note.Text
	}
	for _, rule := range t.Rules.ExtraCores {
		all[rule.place()] = rule.Text
	}
	for _, u := range t.Unlisted {
		all[u.place()+".text"], all[u.place()+".ask"] = u.Text, u.Ask
	}
	for _, q := range t.Rules.Ask {
		all[q.place()+".text"], all[q.place()+".ask"] = q.Text, q.Ask
	}
	return all
}

// servesUsers says how many users the table is for.
func (t *Table) servesUsers() message.Text { return t.Rules.Users.Text.text(t.placeOfUsers()) }

func placeOfTitle(t *Table) string { return "title." + t.Name }

// placeOfUsers is one for the tables of each source, and another for a single machine,
// of which a source says something else.
func (t *Table) placeOfUsers() string {
	if t.Machine != nil {
		return "users.machine." + t.Rules.Users.Source
	}
	return "users.table." + t.Rules.Users.Source
}

func (n Note) place() string     { return "note." + n.Source + "." + n.ID }
func (r CoreRule) place() string { return "cores." + r.ID }
func (u Unlisted) place() string { return "unlisted." + u.Source + "." + string(u.Role) }
func (d Draft) place() string    { return "draft." + d.Source }
func (q Question) place() string { return "ask." + q.ID }

// sourceTexts are what the program's own tables say of sources in words of their own,
// title and place. Titles of others' documents stay in the language of these.
var sourceTexts = map[string][2]string{
	"G":      {"source.guide.title", "source.guide.where"},
	"island": {"source.island.title", ""},
	"lock":   {"source.lock.title", "source.lock.where"},
	"site":   {"source.site.title", "source.site.where"},
}

// sourceRef names a source. Where that is in the words of the program's own tables, the
// catalogues have further languages for it.
func sourceRef(id string, s site.Source) SourceRef {
	own := ownTables()[0].Sources[id] // a test holds that all have the same
	text := func(words, ours, code string) message.Text {
		if code != "" && words == ours {
			return say(code, nil)
		}
		return message.Plain(words)
	}
	codes := sourceTexts[id]
	return SourceRef{id, text(s.Title, own.Title, codes[0]), text(s.Where, own.Where, codes[1])}
}
