package bundle_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/trust/state"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// deliveryOf builds a delivery of a release with a slot for each key named; "" leaves it
// blank.
func deliveryOf(t testing.TB, name string, sequence manifests.Sequence, keys ...string) []byte {
	t.Helper()
	w := tinyWorld()
	w.lock.Release.Name, w.lock.Release.Sequence = name, sequence
	w.lock.Release.Version = fmt.Sprint("2026.", sequence)
	o := options(t)
	o.Signers = []string{"second", "third"}[:len(keys)-1]
	plan, err := bundle.NewPlan(w.lock, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		if key == "" {
			continue
		}
		private, _ := testKey(t, key)
		if err := plan.Sign(bundle.Signer{Name: []string{"", "second", "third"}[i], Key: private}); err != nil {
			t.Fatal(err)
		}
	}
	return build(t, plan, w.source())
}

// withSlots gives an archive other signatures: slots are not themselves signed, so that
// anybody on the way may blank one, or put there what another bundle has.
func withSlots(t testing.TB, archive []byte, slots ...[]byte) []byte {
	t.Helper()
	changed := bytes.Clone(archive)
	for i, slot := range slots {
		if slot != nil {
			at := spans(t, archive)[1+i]
			copy(changed[at.content:at.end()], slot)
		}
	}
	return changed
}

func slotOf(t testing.TB, archive []byte, i int) []byte {
	t.Helper()
	at := spans(t, archive)[1+i]
	return archive[at.content:at.end()]
}

var blank = append(bytes.Repeat([]byte{' '}, bundle.SignatureSize-1), '\n')

// takes verifies an archive as a site does that keeps a state, and reports whether it
// lets it in.
func takes(t testing.TB, site *state.State, archive []byte, trust bundle.Trust) error {
	t.Helper()
	trust.Revoked = site.Revoked
	b, err := bundle.Open(bytes.NewReader(archive), int64(len(archive)), trust)
	if err == nil {
		err = b.Verify(t.Context(), bundle.VerifyOptions{})
	}
	if err != nil {
		return err
	}
	delivery := state.Delivery{
		Release: b.Inventory.Lock.Release, Digest: b.Digest, Signers: b.SignedBy.Keys(), Slots: len(b.Inventory.Signatures),
	}
	return site.Accept(delivery, "", date("2026-11-23"))
}

// Whatever is done to the signatures of an older bundle, with all of what anybody can
// have who has no key, it does not get in again.
func TestNoWayBackWithoutAKey(t *testing.T) {
	t.Parallel()
	both := trust(t, "a", "b")
	olderBoth, olderA, olderB := deliveryOf(t, "wire", 3, "a", "b"), deliveryOf(t, "wire", 3, "a"), deliveryOf(t, "wire", 3, "b")
	olderThree := deliveryOf(t, "wire", 4, "b", "a", "stranger")
	unsigned := both
	unsigned.AllowUnsigned = true
	for _, newest := range [][]string{{"a"}, {"b"}, {"a", "b"}, {"b", "a"}, {"a", ""}, {"", "b"}} {
		last := deliveryOf(t, "wire", 5, newest...)
		for name, attack := range map[string]struct {
			archive []byte
			trust   bundle.Trust
		}{
			"as it is":                      {olderBoth, both},
			"by the first key":              {olderA, both},
			"by the second key":             {olderB, both},
			"the first slot blanked":        {withSlots(t, olderBoth, blank), both},
			"the second slot blanked":       {withSlots(t, olderBoth, nil, blank), both},
			"all slots blanked":             {withSlots(t, olderBoth, blank, blank), unsigned},
			"slots swapped":                 {swapSlots(t, olderBoth, 0, 1), both},
			"one signature in both slots":   {withSlots(t, olderBoth, nil, slotOf(t, olderBoth, 0)), both},
			"the other in both":             {withSlots(t, olderBoth, slotOf(t, olderBoth, 1)), both},
			"one altered":                   {alterSlot(t, olderBoth, 0), both},
			"three signers":                 {olderThree, both},
			"three, but one blanked":        {withSlots(t, olderThree, nil, nil, blank), both},
			"three, but a stranger's alone": {withSlots(t, olderThree, blank, nil), both},
			"the newest one's signature":    {withSlots(t, olderA, slotOf(t, last, 0)), both},
			"one key is trusted no more":    {olderBoth, trust(t, "b")},
			"the other is trusted no more":  {olderBoth, trust(t, "a")},
			"a new key is trusted":          {deliveryOf(t, "wire", 4, "c"), trust(t, "a", "b", "c")},
		} {
			site := state.New()
			if err := takes(t, site, last, both); err != nil {
				t.Fatalf("%q: %v", newest, err)
			}
			err := takes(t, site, attack.archive, attack.trust)
			var refusal *fault.Error
			if !errors.As(err, &refusal) || refusal.Kind != fault.Refused {
				t.Errorf("after one by %q: %s: %v", newest, name, err)
			}
			if err := takes(t, site, last, both); err != nil {
				t.Errorf("%q: %s: the newest is not taken again: %v", newest, name, err)
			}
		}
	}
}

// A key that is revoked takes with it what it alone had signed. What another one had
// signed, too, stays, whichever signatures were there when it was verified.
func TestNoWayBackOverARevokedKey(t *testing.T) {
	t.Parallel()
	both := trust(t, "a", "b")
	_, a := testKey(t, "a")
	newest := deliveryOf(t, "wire", 5, "a", "b")
	older := deliveryOf(t, "wire", 3, "a", "b")
	for name, seen := range map[string][][]byte{
		"both signatures at once":             {newest},
		"one after the other":                 {withSlots(t, newest, nil, blank), withSlots(t, newest, blank)},
		"the other way round":                 {withSlots(t, newest, blank), withSlots(t, newest, nil, blank)},
		"both, and later one alone":           {newest, withSlots(t, newest, nil, blank)},
		"one alone, later both, and one more": {withSlots(t, newest, nil, blank), newest, withSlots(t, newest, nil, blank)},
		"the other never":                     {withSlots(t, newest, nil, blank)},
		"a stranger's in place of the other":  {withSlots(t, newest, nil, slotOf(t, deliveryOf(t, "wire", 5, "a", "c"), 1))},
		"the key's own in place of the other": {withSlots(t, newest, nil, slotOf(t, newest, 0))},
		"the other never, of several": {
			withSlots(t, deliveryOf(t, "wire", 1, "a", "b"), nil, blank), withSlots(t, deliveryOf(t, "wire", 4, "a", "b"), nil, blank),
			withSlots(t, newest, nil, blank),
		},
	} {
		site := state.New()
		for _, archive := range seen {
			if err := takes(t, site, archive, both); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if len(site.Accepted["wire"]) != 1 {
			t.Errorf("%s: remembers %+v", name, site.Accepted["wire"])
		}
		site.Revoke(a.ID(), "stolen", date("2026-11-23"))
		for what, archive := range map[string][]byte{"older": older, "older, its first blanked": withSlots(t, older, blank)} {
			if err := takes(t, site, archive, both); err == nil {
				t.Errorf("%s: the %s one gets in", name, what)
			}
		}
		if err := takes(t, site, deliveryOf(t, "wire", 6, "b"), both); err != nil {
			t.Errorf("%s: the next is not taken: %v", name, err)
		}
	}
}

// No other name is taken for a release's own: neither in another case nor with letters
// that look like its own.
func TestNamesOfReleasesHaveNoTwins(t *testing.T) {
	t.Parallel()
	for _, twin := range []string{"Wire", "WIRE", "w\u0456re", "wire\u200b", "wir\uff45", "wire ", "wire/a", "wire\x00", ""} {
		w := tinyWorld()
		w.lock.Release.Name = twin
		if _, err := bundle.NewPlan(w.lock, options(t)); err == nil {
			t.Errorf("a release is called %q", twin)
		}
	}
}
