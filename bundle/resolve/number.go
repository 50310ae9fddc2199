package resolve

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Earlier is what is known of deliveries before the one that is resolved.
type Earlier struct {
	File      string                        // that tells it, for errors
	Sequences map[string]manifests.Sequence // the last of each release, by its name
	Versions  map[string]string             // of the same deliveries, as far as they are known
}

// number gives a delivery its place in the order of all of its release. What
// somebody wrote is taken as it is, or refused if it comes to nothing: it may be
// in a signed document, and is what people will talk of. What nobody wrote is made
// one more than that of the delivery before.
func (a *Assembled) number(in Input, release *manifests.Release) error {
	m := &release.Metadata
	written, place := a.writtenSequence(in, release)
	if said := in.Metadata.Sequence; said > 0 {
		if a.Patched != nil && said < m.Sequence {
			return fault.At(place, fmt.Sprintf("leave it out, or give %d or more", m.Sequence),
				"sequence %d is given for what has patches, and has %d already by its documents", said, m.Sequence)
		}
		m.Sequence = said
	}
	if in.After == nil {
		a.guessed = a.Patched != nil && !written
		return nil
	}
	last, known := in.After.Sequences[m.Name]
	switch {
	case !known:
		names := strings.Join(slices.Sorted(maps.Keys(in.After.Sequences)), ", ")
		return fault.New(fault.Usage, fault.Here, in.After.File, "name a delivery of the same release, or what a site has accepted of it",
			"there is no delivery of the release %q in it to come after, but of %s", m.Name, cmp.Or(names, "none"))
	case last == manifests.MaxSequence:
		return fault.New(fault.Usage, fault.Here, in.After.File,
			"give the release another name; a site that has accepted this sequence takes nothing of that name any more without a reason",
			"nothing can come after sequence %d, which is the highest there can be", uint64(last))
	case m.Sequence > last:
	case written:
		return fault.At(place, fmt.Sprintf("give --sequence %d or more", last+1),
			"sequence %d is not higher than %d, which the delivery before has by %s", m.Sequence, last, in.After.File)
	default:
		m.Sequence = last + 1
	}
	return a.checkVersion(in, m)
}

// checkVersion refuses what has patches and the version of the delivery before: people
// could not tell the two apart, and nor could the names of their files.
func (a *Assembled) checkVersion(in Input, m *manifests.Metadata) error {
	if a.Patched == nil || m.Version != in.After.Versions[m.Name] {
		return nil
	}
	what := fmt.Sprintf("version %s is that of the delivery before, by %s, and this one is another", m.Version, in.After.File)
	by := a.Patched.NamedBy
	switch {
	case m.Version == in.Metadata.Version:
		return fault.At(fault.Place{Field: "--release-version"}, "give another one", "%s", what)
	case by != nil && m.Version == by.Release.Version:
		return fault.At(by.Place("release.version"), "give another one there, or with --release-version", "%s", what)
	}
	return fault.New(fault.Usage, fault.Here, "release "+m.Name, "give another one with --release-version", "%s", what)
}

// writtenSequence reports whether somebody wrote the sequence, and where. What a patch
// says is that of the delivery that ends with it: with another one laid behind it, it
// is another delivery.
func (a *Assembled) writtenSequence(in Input, release *manifests.Release) (bool, fault.Place) {
	switch {
	case in.Metadata.Sequence > 0:
		return true, fault.Place{Field: "--sequence"}
	case a.Patched != nil && a.Patched.NumberedBy != nil:
		return a.Patched.NumberedBy == a.lastPatch(), a.Patched.NumberedBy.Place("release.sequence")
	case a.Patched == nil && release.Metadata.Sequence > 0:
		return true, release.Place("metadata.sequence")
	}
	return false, fault.Place{}
}

// checkNumber refuses a delivery with patches that no site could tell from the one
// without.
func (a *Assembled) checkNumber(notice func(string)) error {
	sequence := a.Release.Metadata.Sequence
	if a.Patched != nil && sequence == 0 {
		return fault.New(fault.Usage, fault.Here, "release "+a.Release.Metadata.Name,
			"give --sequence N, or name with --after the bundle, lock or site's state file that this delivery comes after",
			"the release has no sequence, and its patches give none: no site could tell that it is newer than what it has")
	}
	if a.guessed {
		why := "one more than the release's own"
		if by := a.Patched.NumberedBy; by != nil {
			why = fmt.Sprintf("what patch %s says, and others are laid behind it", by.ID())
		}
		notice(fmt.Sprintf("sequence %d is %s: if a delivery with patches has gone out before, name the last one with --after", sequence, why))
	}
	return nil
}

func (a *Assembled) lastPatch() *manifests.Patch { return a.Patched.Applied[len(a.Patched.Applied)-1] }
