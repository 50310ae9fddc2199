package bundle_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// signedBy builds a bundle with a slot for each key named; "" leaves it blank.
// The slots behind the first are called "second" and "third".
func signedBy(t testing.TB, keys ...string) []byte {
	t.Helper()
	w := tinyWorld()
	o := options(t)
	o.Signers = []string{"second", "third"}[:len(keys)-1]
	plan, err := bundle.NewPlan(w.lock, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range keys {
		if name == "" {
			continue
		}
		private, _ := testKey(t, name)
		if err := plan.Sign(bundle.Signer{Name: []string{"", "second", "third"}[i], Key: private}); err != nil {
			t.Fatal(err)
		}
	}
	return build(t, plan, w.source())
}

// swapSlots exchanges the content of two signature entries.
func swapSlots(t testing.TB, archive []byte, i, j int) []byte {
	t.Helper()
	a, b := spans(t, archive)[1+i], spans(t, archive)[1+j]
	swapped := bytes.Clone(archive)
	copy(swapped[a.content:a.end()], archive[b.content:b.end()])
	copy(swapped[b.content:b.end()], archive[a.content:a.end()])
	return swapped
}

// alterSlot flips a bit of the signature in an entry, which stays readable and
// keeps its hint at the key.
func alterSlot(t testing.TB, archive []byte, i int) []byte {
	t.Helper()
	slot := spans(t, archive)[1+i]
	text := archive[slot.content:slot.end()]
	at := slot.content + int64(bytes.Index(text, []byte(`"signature": "`))) + 40
	altered := bytes.Clone(archive)
	altered[at] = map[bool]byte{true: 'B', false: 'A'}[archive[at] == 'A']
	return altered
}

func TestSignersAreASet(t *testing.T) {
	t.Parallel()
	three := signedBy(t, "sender", "auditor", "other")
	revoke := func(trust bundle.Trust, name string) bundle.Trust {
		_, public := testKey(t, name)
		trust.Revoked = append(trust.Revoked, public.ID())
		return trust
	}
	unchecked := bundle.Trust{WithoutAnyCheck: true}
	unsigned := bundle.Trust{AllowUnsigned: true}
	tests := []struct {
		name    string
		archive []byte
		trust   bundle.Trust
		want    string // slots and keys
	}{
		{"all trusted", three, trust(t, "other", "auditor", "sender"), "bundle:sender bundle.second:auditor bundle.third:other"},
		{"one trusted", three, trust(t, "auditor"), "bundle.second:auditor"},
		{"first and last trusted", three, trust(t, "other", "sender"), "bundle:sender bundle.third:other"},
		{"one revoked", three, revoke(trust(t, "other", "sender"), "sender"), "bundle.third:other"},
		{"one blank", signedBy(t, "sender", "", "other"), trust(t, "sender", "other"), "bundle:sender bundle.third:other"},
		{"the first altered", alterSlot(t, three, 0), trust(t, "sender", "auditor", "other"), "bundle.second:auditor bundle.third:other"},
		{"the last altered", alterSlot(t, three, 2), trust(t, "sender", "auditor", "other"), "bundle:sender bundle.second:auditor"},
		{"in other slots", swapSlots(t, three, 0, 2), trust(t, "sender", "other"), "bundle:other bundle.third:sender"},
		{"one key twice", signedBy(t, "sender", "sender"), trust(t, "sender"), "bundle:sender bundle.second:sender"},
		{"not checked", three, unchecked, ""},
		{"not signed", signedBy(t, "", ""), unsigned, ""},
	}
	names := map[string]string{}
	for _, name := range []string{"sender", "auditor", "other"} {
		_, public := testKey(t, name)
		names[public.ID()] = name
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, valid := range openAs(t, test.archive, test.trust).SignedBy {
				slot := strings.TrimSuffix(string(valid.Slot), ".sigstore.json")
				got = append(got, slot+":"+names[valid.Key.ID()])
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("signed by %q, want %q", got, test.want)
			}
		})
	}
}

// Where no signature holds, an altered one by a trusted key is told as such.
func TestAlteredSignaturesAreNotSigners(t *testing.T) {
	t.Parallel()
	two := signedBy(t, "sender", "auditor")
	wantRefused(t, alterSlot(t, two, 0), trust(t, "sender"), "bundle.sigstore.json", "altered", "which did not make it")
	both := alterSlot(t, alterSlot(t, two, 0), 1)
	wantRefused(t, both, trust(t, "sender", "auditor"), "bundle.sigstore.json", "altered", "which did not make it")
}

func TestKeysOfSignersAreNamedOnce(t *testing.T) {
	t.Parallel()
	_, one := testKey(t, "sender")
	_, two := testKey(t, "auditor")
	var signers bundle.Signers
	for i, key := range []signature.PublicKey{one, two, one, two} {
		slot := manifests.EntryPath(fmt.Sprintf("bundle.%d.sigstore.json", i))
		signers = append(signers, bundle.ValidSignature{Slot: slot, Key: key})
	}
	if keys := signers.Keys(); len(keys) != 2 || keys[0].ID() != one.ID() || keys[1].ID() != two.ID() {
		t.Errorf("keys are %v", keys)
	}
}

// Plans are signed by whatever keeps a key; one that misbehaves leaves no mark.
func TestPlanTakesNoBadSignature(t *testing.T) {
	t.Parallel()
	w := tinyWorld()
	plan, err := bundle.NewPlan(w.lock, options(t))
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, plan.Sign(bundle.Signer{}), fault.Usage, fault.Here, "no private key to sign with")
	archive := build(t, plan, w.source())
	wantAccepted(t, archive, bundle.Trust{AllowUnsigned: true})
	wantRefused(t, archive, trust(t, "sender"), "not signed")
}
