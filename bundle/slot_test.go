package bundle_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests/fault"
)

func TestPad(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("x", bundle.SignatureSize-2)
	for _, text := range []string{"", "{}", "{}\n\n \t\r\n", longest, longest + strings.Repeat(" ", 100)} {
		padded, err := bundle.Pad([]byte(text))
		if err != nil {
			t.Fatalf("%d bytes: %v", len(text), err)
		}
		if len(padded) != bundle.SignatureSize {
			t.Errorf("%d bytes padded to %d, want %d", len(text), len(padded), bundle.SignatureSize)
		}
		if got, want := strings.TrimSpace(string(padded)), strings.TrimSpace(text); got != want {
			t.Errorf("padding changed the text to %q", got)
		}
		if again, err := bundle.Pad(padded); err != nil || !bytes.Equal(again, padded) {
			t.Errorf("padding twice differs from padding once: %v", err)
		}
	}
	_, err := bundle.Pad([]byte(longest + "x"))
	wantFault(t, err, fault.Usage, fault.Here, "signature of 8191 bytes does not fit into 8192")
}

func TestBlankSlot(t *testing.T) {
	t.Parallel()
	blank := bundle.BlankSlot()
	if len(blank) != bundle.SignatureSize || !bundle.IsBlankSlot(blank) {
		t.Errorf("%d bytes, blank %t", len(blank), bundle.IsBlankSlot(blank))
	}
	private, _ := testKey(t, "sender")
	if bundle.IsBlankSlot(signed(t, private)) {
		t.Error("a signature counts as blank")
	}
}

func TestEmptyTrustedRootIsJSON(t *testing.T) {
	t.Parallel()
	var root map[string]string
	if err := json.Unmarshal(bundle.EmptyTrustedRoot(), &root); err != nil {
		t.Fatal(err)
	}
	if len(root) != 1 || root["mediaType"] != "application/vnd.dev.sigstore.trustedroot+json;version=0.1" {
		t.Errorf("trusted root holds more than its type: %v", root)
	}
}
