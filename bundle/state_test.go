package bundle_test

import (
	"testing"
	"time"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// accepted returns a bundle as verify gives it to the state.
func accepted(t testing.TB, signer string, sequence uint64) *bundle.Bundle {
	w := tinyWorld()
	w.lock.Release.Sequence = sequence
	plan, err := bundle.NewPlan(w.lock, options(t))
	if err != nil {
		t.Fatal(err)
	}
	private, _ := testKey(t, signer)
	if err := plan.Sign(bundle.Signer{Key: private}); err != nil {
		t.Fatal(err)
	}
	archive := build(t, plan, w.source())
	return openAs(t, archive, trust(t, signer))
}

func TestState(t *testing.T) {
	t.Parallel()
	today := date("2026-11-23")
	one, two, huge := accepted(t, "sender", 1), accepted(t, "sender", 2), accepted(t, "sender", 1<<63)
	otherOne := accepted(t, "other", 1)

	state := bundle.NewState()
	for _, b := range []*bundle.Bundle{one, two, two} {
		if err := state.Accept(b, "", today); err != nil {
			t.Fatal(err)
		}
	}
	wantFault(t, state.Accept(one, "", today), fault.Refused, fault.Site, "sequence 1", "sequence 2")
	wantFault(t, state.Accept(huge, "", today), fault.Refused, fault.Site, "more than 10000 above")
	if len(state.Remarks) != 0 {
		t.Errorf("a refusal left a remark: %v", state.Remarks)
	}
	// Another key has a sequence of its own: so a site recovers from a key that
	// signed too high a number.
	if err := state.Accept(otherOne, "", today); err != nil {
		t.Error(err)
	}
	if err := state.Accept(one, "two broke calls", today); err != nil {
		t.Error(err)
	}
	if len(state.Remarks) != 1 || state.Remarks[0].Reason != "two broke calls" {
		t.Errorf("the exception is not recorded: %v", state.Remarks)
	}

	encoded, err := manifests.EncodeJSON(state)
	if err != nil {
		t.Fatal(err)
	}
	again, err := bundle.ReadState("site.json", encoded)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Accept(two, "", today); err != nil {
		t.Error(err)
	}
	wantFault(t, again.Accept(one, "", today), fault.Refused, fault.Site, "sequence 1")
}

func TestStateUnreadable(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "cut short": `{"apiVersion": "island/v1"`, "another kind": `{"apiVersion": "island/v1", "kind": "Lock"}`,
		"unknown field": `{"apiVersion": "island/v1", "kind": "State", "trust": "everybody"}`,
		"more behind":   `{"apiVersion": "island/v1", "kind": "State"}}`,
	} {
		_, err := bundle.ReadState("site.json", []byte(text))
		if err == nil {
			t.Errorf("%s: read as a state", name)
			continue
		}
		wantFault(t, err, fault.Refused, fault.Site, "site.json")
	}
}

func TestExpired(t *testing.T) {
	t.Parallel()
	w := tinyWorld()
	w.lock.Release.Expires = date("2026-12-01")
	b := open(t, build(t, w.plan(t, options(t)), w.source()))
	for moment, want := range map[string]bool{
		"2026-12-01T23:59:59Z": false, "2026-12-02T00:00:01Z": true, "2026-12-02T00:30:00+02:00": false,
	} {
		now, err := time.Parse(time.RFC3339, moment)
		if err != nil {
			t.Fatal(err)
		}
		if b.Expired(now) != want {
			t.Errorf("%s: expired is %v", moment, !want)
		}
	}
	if accepted(t, "sender", 0).Expired(time.Now().AddDate(100, 0, 0)) {
		t.Error("a bundle without expiry has expired")
	}
}
