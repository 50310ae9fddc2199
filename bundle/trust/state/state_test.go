package state_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/bundle/trust/state"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

func date(s string) manifests.Date {
	d, err := manifests.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

var today = date("2026-11-23")

// key is a key that everybody can compute: nothing that it signed is worth
// believing.
func key(name string) signature.PublicKey {
	sum := sha256.Sum256([]byte("island test key " + name))
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:])
	if err != nil {
		panic(err)
	}
	public, err := signature.NewPublicKey(private.Public())
	if err != nil {
		panic(err)
	}
	return public
}

// wire is a delivery of the release "wire" that keys have signed.
func wire(sequence manifests.Sequence, signers ...string) state.Delivery {
	d := state.Delivery{
		Release: manifests.LockedRelease{Name: "wire", Version: "2026.1", Sequence: sequence},
		Digest:  manifests.DigestOf([]byte(strings.Join(signers, " "))),
	}
	for _, name := range signers {
		d.Signers = append(d.Signers, key(name))
	}
	return d
}

func accept(t *testing.T, s *state.State, deliveries ...state.Delivery) {
	t.Helper()
	for _, d := range deliveries {
		if err := s.Accept(d, "", today); err != nil {
			t.Fatal(err)
		}
	}
}

// wantRefused demands that a delivery is refused with all of some texts, in the error
// or its hint, and that this changes nothing.
func wantRefused(t *testing.T, s *state.State, d state.Delivery, texts ...string) {
	t.Helper()
	before := encode(t, s)
	wantRefusal(t, s.Accept(d, "", today), texts...)
	if after := encode(t, s); after != before {
		t.Errorf("a refusal made of\n%s\n%s", before, after)
	}
}

func wantRefusal(t *testing.T, err error, texts ...string) {
	t.Helper()
	var explained *fault.Error
	if !errors.As(err, &explained) || explained.Kind != fault.Refused || explained.Side != fault.Site || explained.Hint == "" {
		t.Fatalf("error %v, want a refusal on the site with a hint", err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error()+"\n"+explained.Hint, text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}

func encode(t *testing.T, s *state.State) string {
	t.Helper()
	encoded, err := manifests.EncodeJSON(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

func read(t *testing.T, text string) *state.State {
	t.Helper()
	s, err := state.Read("site.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sequences are those that are remembered of the release "wire".
func sequences(s *state.State) []manifests.Sequence {
	var list []manifests.Sequence
	for _, a := range s.Accepted["wire"] {
		list = append(list, a.Sequence)
	}
	return list
}

// What only the sender can mend is not asked of the site: there is no newer bundle.
const (
	askForAnother = "ask the sender to resolve it again with --after, naming the last delivery, or with a higher --sequence; --allow-rollback"
	askForLower   = "ask the sender whether that is meant, and else to resolve it again with a lower --sequence; --allow-rollback"
)

func TestSequenceOnlyGrows(t *testing.T) {
	t.Parallel()
	s := state.New()
	accept(t, s, wire(1, "sender"), wire(2, "sender"), wire(2, "sender"))
	wantRefused(t, s, wire(1, "sender"), "sequence 1", "sequence 2", "2026-11-23", "get the newest bundle; --allow-rollback")
	wantRefused(t, s, wire(1<<63, "sender"), "more than 10000 above", askForLower)
	accept(t, s, wire(2+state.MaxSequenceStep, "sender"))

	other := wire(1, "sender")
	other.Release.Name = "monitoring"
	accept(t, s, other) // another release is another matter
}

// other is another delivery of the same release and sequence.
func other(d state.Delivery) state.Delivery {
	d.Release.Version, d.Digest = "2026.1+FIX-1", manifests.DigestOf([]byte("other "+d.Digest))
	return d
}

// Of two bundles with one sequence, one is as good as older. The same bundle may be
// verified as often as anybody likes.
func TestAnotherBundleOfTheSameSequence(t *testing.T) {
	t.Parallel()
	for _, signers := range [][]string{{"sender"}, {"auditor"}, {"sender", "auditor"}, nil} {
		s := state.New()
		first, second := wire(4, "sender"), other(wire(4, signers...))
		accept(t, s, first, first)
		wantRefused(t, s, second, "2026.1+FIX-1 has sequence 4, and so has another one, 2026.1, which was accepted on 2026-11-23",
			askForAnother)
		if err := s.Accept(second, "FIX-1 was built twice", today); err != nil {
			t.Fatal(err)
		}
		accept(t, s, second)
		wantRefused(t, s, first, "sequence 4, and so has another one, 2026.1+FIX-1")
		if got := sequences(s); !slices.Equal(got, []manifests.Sequence{4}) {
			t.Errorf("remembers %d", got)
		}
	}
}

// A bundle without sequence tells nothing of its place. It never comes after one that
// has one, nor after another without.
func TestUnnumbered(t *testing.T) {
	t.Parallel()
	s := state.New()
	none := wire(0, "sender")
	accept(t, s, none, none)
	wantRefused(t, s, other(none), "2026.1+FIX-1 has no sequence, nor has 2026.1", "nobody can tell which is newer", askForAnother)
	accept(t, s, wire(1, "sender"))
	wantRefused(t, s, none, "2026.1 has no sequence, but 2026.1 with sequence 1", "nobody can tell that it is newer", askForAnother)
	if !state.Unnumbered(none.Release) || state.Unnumbered(wire(1).Release) {
		t.Error("what has no sequence is not told")
	}
}

// The first sequence of a release has nothing to be measured by. One that shuts out
// all later ones is asked about.
func TestFirstSequenceIsBounded(t *testing.T) {
	t.Parallel()
	for _, high := range []manifests.Sequence{state.MaxFirstSequence + 1, 1 << 50, manifests.MaxSequence} {
		s := state.New()
		wantRefused(t, s, wire(high, "sender"), "is the first of wire here: above 1000000000000", askForLower)
		if err := s.Accept(wire(high, "sender"), "we count in nanoseconds", today); err != nil || len(s.Remarks) != 1 {
			t.Errorf("with a reason: %v, remarks %v", err, s.Remarks)
		}
	}
	s := state.New()
	accept(t, s, wire(state.MaxFirstSequence, "sender"), wire(state.MaxFirstSequence+state.MaxSequenceStep, "sender"))
	// A key that is revoked takes what it signed with it, and the next is a first one again.
	s.Revoke(key("sender").ID(), "stolen", today)
	wantRefused(t, s, wire(1<<52, "new"), "is the first of wire here")
}

func TestWhatIsRemembered(t *testing.T) {
	t.Parallel()
	s := state.New()
	d := wire(7, "sender", "auditor")
	accept(t, s, d)
	want := state.Accepted{
		Sequence: 7, Version: "2026.1", Digest: d.Digest, On: today, Signers: []string{key("sender").ID(), key("auditor").ID()},
	}
	if got := s.Accepted["wire"]; len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("remembers %+v, want %+v", got, want)
	}
	again := read(t, encode(t, s))
	if !reflect.DeepEqual(again, s) {
		t.Errorf("read %+v, written was %+v", again, s)
	}
	wantRefused(t, again, wire(6, "sender", "auditor"), "sequence 6")
}

// A second or a rotated key does not start with a clean slate, nor does a bundle
// that nobody has signed.
func TestNameCountsNotTheKey(t *testing.T) {
	t.Parallel()
	s := state.New()
	accept(t, s, wire(5, "sender"))
	for _, signers := range [][]string{{"other"}, {"sender", "other"}, nil} {
		wantRefused(t, s, wire(4, signers...), "sequence 4", "sequence 5")
		wantRefused(t, s, wire(1<<40, signers...), "more than 10000 above", askForLower)
	}
	accept(t, s, wire(6, "other"), wire(7))
	wantRefused(t, s, wire(6, "sender"), "sequence 7")
}

func TestReasonLetsOneBackAndIsRecorded(t *testing.T) {
	t.Parallel()
	s := state.New()
	accept(t, s, wire(1, "sender"), wire(3, "other"), wire(4, "sender"), wire(9))
	if err := s.Accept(wire(2, "sender"), "nine broke calls", today); err != nil {
		t.Fatal(err)
	}
	if len(s.Remarks) != 1 || s.Remarks[0].Reason != "nine broke calls" || !strings.Contains(s.Remarks[0].What, "sequence 9") {
		t.Errorf("the exception is not recorded: %v", s.Remarks)
	}
	if got := sequences(s); !slices.Equal(got, []manifests.Sequence{2}) {
		t.Errorf("behind the step back stand %d", got)
	}
	accept(t, s, wire(2, "sender"), wire(3, "sender"))
	wantRefused(t, s, wire(2, "sender"), "sequence 2")
}

// So a site recovers from a key that signed too high a number: what only revoked
// keys have signed shuts nobody out, and what came before counts again.
func TestRevokedKeyShutsNobodyOut(t *testing.T) {
	t.Parallel()
	s := state.New()
	accept(t, s, wire(5, "sender"), wire(9_000, "stolen"))
	wantRefused(t, s, wire(6, "sender"), "sequence 9000")
	s.Revoke(key("stolen").ID(), "it was stolen", today)
	wantRefused(t, s, wire(4, "sender"), "sequence 5")
	accept(t, s, wire(6, "sender"))
	if got := sequences(s); !slices.Equal(got, []manifests.Sequence{6, 9_000}) {
		t.Errorf("remembers %d", got)
	}
	accept(t, read(t, encode(t, s)), wire(7, "sender"))
}

// One signer who is not revoked is enough for a bundle to count.
func TestOneOfTwoSignersRevoked(t *testing.T) {
	t.Parallel()
	s := state.New()
	accept(t, s, wire(5, "sender", "auditor"))
	s.Revoke(key("sender").ID(), "rotated", today)
	wantRefused(t, s, wire(4, "auditor"), "sequence 5")
	s.Revoke(key("auditor").ID(), "rotated", today)
	accept(t, s, wire(4, "new"))
}

// What was accepted unsigned has nobody who could be revoked, and goes back for a
// reason only.
func TestUnsignedIsRemembered(t *testing.T) {
	t.Parallel()
	s := state.New()
	accept(t, s, wire(5))
	s.Revoke(key("sender").ID(), "rotated", today)
	wantRefused(t, s, wire(4, "new"), "sequence 5")
	if err := s.Accept(wire(4, "new"), "five was a trial", today); err != nil {
		t.Error(err)
	}
}

// Deliveries by the same people do not pile up.
func TestOneEntryForTheSameSigners(t *testing.T) {
	t.Parallel()
	s := state.New()
	for n := range manifests.Sequence(50) {
		accept(t, s, wire(4*n, "sender"), wire(4*n+1, "auditor", "sender"), wire(4*n+2, "sender", "auditor"), wire(4*n+3))
	}
	if got := sequences(s); !slices.Equal(got, []manifests.Sequence{198, 199}) {
		t.Errorf("remembers %d", got)
	}
}

func TestRevokeOnce(t *testing.T) {
	t.Parallel()
	s := state.New()
	for range 3 {
		s.Revoke("a key", "stolen", today)
	}
	if !slices.Equal(s.Revoked, []string{"a key"}) || len(s.Remarks) != 1 {
		t.Errorf("revoked %q with remarks %v", s.Revoked, s.Remarks)
	}
}

// A file of the first format is read, and nothing in it is lost.
func TestFirstFormat(t *testing.T) {
	t.Parallel()
	s := readFile(t, "first.json")
	want := readFile(t, "first-migrated.json")
	if !reflect.DeepEqual(s, want) {
		t.Errorf("became\n%s\nwant\n%s", encode(t, s), encode(t, want))
	}
	if got := encode(t, s); got != string(file(t, "first-migrated.json")) {
		t.Errorf("is written as\n%s", got)
	}
	if got := slices.Sorted(maps.Keys(s.Accepted)); !slices.Equal(got, []string{"monitoring", "wire"}) {
		t.Errorf("releases are %q", got)
	}
	// The stolen key's 9000 counts no more, the highest of the others does.
	wantRefused(t, s, wire(11, "new"), "sequence 11", "2026.3 with sequence 12 was accepted on 2026-10-01")
	accept(t, s, wire(13, "new"))
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	const head = `{"apiVersion": "island/v1", "kind": "State"`
	for name, text := range map[string]string{
		"empty": "", "cut short": head, "another kind": `{"apiVersion": "island/v1", "kind": "Lock"}`,
		"another kind, second format": `{"apiVersion": "island/v1", "kind": "Lock", "format": 2}`,
		"another apiVersion":          `{"apiVersion": "island/v2", "kind": "State", "format": 2}`,
		"unknown field":               head + `, "trust": "everybody"}`,
		"unknown field, second form":  head + `, "format": 2, "trust": "everybody"}`,
		"more behind":                 head + `}}`,
		"more behind, second format":  head + `, "format": 2}{}`,
		"later format":                head + `, "format": 3}`,
		"first format in the second":  head + `, "format": 2, "accepted": {"wire/key": {"sequence": 1}}}`,
		"second format in the first":  head + `, "accepted": {"wire": [{"sequence": 1}]}}`,
		"no key":                      head + `, "accepted": {"wire": {"sequence": 1}}}`,
		"sequence below zero":         head + `, "accepted": {"wire/key": {"sequence": -1}}}`,
		"sequence above what can be":  head + `, "accepted": {"wire/key": {"sequence": 9007199254740992}}}`,
		"the same, second format":     head + `, "format": 2, "accepted": {"wire": [{"sequence": 18446744073709551615}]}}`,
		"not an object":               `[]`,
	} {
		s, err := state.Read("site.json", []byte(text))
		if s != nil {
			t.Errorf("%s: read as %+v", name, s)
		}
		wantRefusal(t, err, "site.json", "state file is not readable")
	}
	for text, want := range map[string]string{
		head + `, "format": 2`:      "unexpected EOF",
		head + `, "format": "2"}`:   `unknown field "format"`,
		head + `, "format": 2}{}`:   "text follows the document",
		head + `, "accepted": {}}x`: "text follows the document",
	} {
		_, err := state.Read("site.json", []byte(text))
		wantRefusal(t, err, "site.json", want)
	}
}

// Whoever writes by hand need not write in order.
func TestOrderInTheFileDoesNotCount(t *testing.T) {
	t.Parallel()
	s := read(t, `{"apiVersion": "island/v1", "kind": "State", "format": 2, "accepted": {"wire": [
		{"sequence": 9, "version": "b", "digest": "`+string(manifests.DigestOf(nil))+`", "on": "2026-01-02", "signers": ["x"]},
		{"sequence": 3, "version": "a", "digest": "`+string(manifests.DigestOf(nil))+`", "on": "2026-01-01", "signers": ["y"]}]}}`)
	wantRefused(t, s, wire(8, "sender"), "b with sequence 9")
}

func readFile(t *testing.T, name string) *state.State {
	t.Helper()
	return read(t, string(file(t, name)))
}

func file(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
