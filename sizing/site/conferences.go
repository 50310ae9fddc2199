package site

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits on a distribution of conferences.
const (
	MaxParticipants   = 100_000   // of one conference
	MaxConferences    = 1_000_000 // at once
	maxConferenceKind = 256       // different sizes
)

// ConferenceGroup is a number of conferences with the same number of
// participants.
type ConferenceGroup struct {
	Count        int64 // conferences
	Participants int64 // of each
}

// Conferences is a distribution of the conferences at peak. It is written as
// count and participants: "10x8,2x50" is ten conferences of 8 and two of 50. No
// conference at all is written "none".
type Conferences []ConferenceGroup

// What stands between a count and its participants, and between groups. A comma parts
// groups, and so never the thousands of a number.
const (
	timesSigns = "xX×*"
	groupMarks = ",;"
)

// ConferencesPattern is what a distribution looks like in a document.
const ConferencesPattern = `^\s*([nN][oO][nN][eE]|` + conferenceGroup + `(\s*[` + groupMarks + `]\s*` + conferenceGroup + `)*)\s*$`

const conferenceGroup = conferenceNumber + `\s*[` + timesSigns + `]\s*` + conferenceNumber

const conferenceNumber = "([0-9]+|[1-9][0-9]{0,2}([.'’ \u00a0\u202f][0-9]{3})+)"

// keywords are the words of a site document, by what people call them in German.
var keywords = map[string]string{"keine": "none", "extern": "external", "mitgeliefert": "bundled"}

// Keyword returns the word of a site document for what a person has typed, in English or
// German; whatever else is typed stays as it is.
func Keyword(typed string) string {
	return cmp.Or(keywords[strings.ToLower(strings.TrimSpace(typed))], typed)
}

// ParseConferences reads a distribution, in whatever of the usual ways it is written:
// "10x8,2x50", "10 X 8; 2 × 50". Numbers are read as [ParseCount] does. The order does
// not matter, and groups of one size are added up.
func ParseConferences(s string) (Conferences, error) {
	if strings.EqualFold(strings.TrimSpace(s), "none") {
		return Conferences{}, nil
	}
	if strings.TrimSpace(s) == "" {
		return nil, errors.New(`no conferences are given; write none, or such as 10x8,2x50`)
	}
	counts := map[int64]int64{}
	total := int64(0)
	parts := strings.Split(strings.ReplaceAll(s, ";", ","), ",")
	if len(parts) > maxConferenceKind {
		return nil, fmt.Errorf("more than %d groups of conferences", maxConferenceKind)
	}
	for _, part := range parts {
		group, err := parseGroup(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		if total += group.Count; total > MaxConferences {
			return nil, fmt.Errorf("more than %d conferences at once", MaxConferences)
		}
		counts[group.Participants] += group.Count
	}
	var list Conferences
	for participants, count := range counts {
		list = append(list, ConferenceGroup{count, participants})
	}
	slices.SortFunc(list, func(a, b ConferenceGroup) int { return int(a.Participants - b.Participants) })
	return list, nil
}

func parseGroup(part string) (ConferenceGroup, error) {
	at := strings.IndexAny(part, timesSigns)
	if at < 0 {
		return ConferenceGroup{}, fmt.Errorf("%.40q is not a count and a number of participants such as 10x8; a comma begins the next", part)
	}
	_, size := utf8.DecodeRuneInString(part[at:])
	count, err := countUpTo(MaxConferences, part[:at])
	participants, err2 := countUpTo(MaxParticipants, part[at+size:])
	switch {
	case err != nil || err2 != nil:
		return ConferenceGroup{}, fmt.Errorf("%.40q is not a count and a number of participants such as 10x8", part)
	case count < 1 || count > MaxConferences:
		return ConferenceGroup{}, fmt.Errorf("%.40q: the number of conferences is not between 1 and %d", part, MaxConferences)
	case participants < 1 || participants > MaxParticipants:
		return ConferenceGroup{}, fmt.Errorf("%.40q: the number of participants is not between 1 and %d", part, MaxParticipants)
	}
	return ConferenceGroup{count, participants}, nil
}

// countUpTo reads a count; one of too many digits for any is more than the most.
func countUpTo(most int64, text string) (int64, error) {
	count, err := ParseCount(text)
	if errors.Is(err, ErrTooLarge) {
		return most + 1, nil
	}
	return count, err
}

// String writes the distribution as [ParseConferences] reads it.
func (c Conferences) String() string {
	if len(c) == 0 {
		return "none"
	}
	var parts []string
	for _, g := range c {
		parts = append(parts, fmt.Sprintf("%dx%d", g.Count, g.Participants))
	}
	return strings.Join(parts, ",")
}

// MarshalText writes the distribution as String does.
func (c Conferences) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what [ParseConferences] does.
func (c *Conferences) UnmarshalText(text []byte) error {
	parsed, err := ParseConferences(string(text))
	*c = parsed
	return err
}

// Count returns how many conferences there are.
func (c Conferences) Count() int64 {
	total := int64(0)
	for _, g := range c {
		total += g.Count
	}
	return total
}

// Participants returns how many take part, in all conferences together.
func (c Conferences) Participants() int64 {
	total := int64(0)
	for _, g := range c {
		total += g.Count * g.Participants
	}
	return total
}

// Largest returns the participants of the largest conference.
func (c Conferences) Largest() int64 {
	largest := int64(0)
	for _, g := range c {
		largest = max(largest, g.Participants)
	}
	return largest
}
