package state_test

import (
	"fmt"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/bundle/trust/state"
	"github.com/islandbundle/island/manifests"
)

// A site takes each delivery only once it is newer than the last, until a person
// decides otherwise.
func ExampleState_Accept() {
	today, err := manifests.ParseDate("2026-11-23")
	if err != nil {
		panic(err)
	}
	delivery := func(sequence manifests.Sequence) state.Delivery {
		version := fmt.Sprint("2026.", sequence)
		return state.Delivery{
			Release: manifests.LockedRelease{Name: "wire", Version: version, Sequence: sequence},
			Digest:  manifests.DigestOf([]byte(version)), // of the bundle's bundle.json
			Signers: []signature.PublicKey{key("sender")},
		}
	}
	s := state.New()
	fmt.Println(s.Accept(delivery(2), "", today))
	fmt.Println(s.Accept(delivery(1), "", today))
	fmt.Println(s.Accept(delivery(1), "2026.2 broke calls", today))
	fmt.Println(s.Remarks[0].Reason)
	// Output:
	// <nil>
	// bundle.json: bundle 2026.1 has sequence 1, but 2026.2 with sequence 2 was accepted on 2026-11-23
	// <nil>
	// 2026.2 broke calls
}

// A file of the first format, with a sequence for each key, is read as well.
func ExampleRead() {
	s, err := state.Read("site.json", []byte(`{
		"apiVersion": "island/v1", "kind": "State",
		"accepted": {
			"wire/0i0ChVLzdojV8JVFWOu3tP4dAViUJMFnhxGfJPHBWEs=": {
				"sequence": 7, "version": "2026.7", "on": "2026-11-23",
				"digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
			}
		},
		"revoked": [], "remarks": []
	}`))
	if err != nil {
		panic(err)
	}
	last := s.Accepted["wire"][0]
	fmt.Println("format", s.Format, "sequence", last.Sequence, "signed by", last.Signers)
	// Output: format 2 sequence 7 signed by [0i0ChVLzdojV8JVFWOu3tP4dAViUJMFnhxGfJPHBWEs=]
}
