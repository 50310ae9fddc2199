package bundle_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/islandbundle/island/bundle"
)

// FuzzVerify returns arbitrary bytes to both readers. Neither may panic, and they
// have to agree on what is a bundle. The signature is not asked for, or nothing
// would get past it.
func FuzzVerify(f *testing.F) {
	w := tinyWorld()
	plan, err := bundle.NewPlan(w.lock, bundle.PlanOptions{Tool: "island test"})
	if err != nil {
		f.Fatal(err)
	}
	archive := build(f, plan, w.source())
	f.Add(archive)
	f.Add(archive[:len(archive)-1024])
	f.Add(archive[:1024])
	f.Add(append(bytes.Clone(archive), 0))
	f.Add([]byte{})
	f.Add(make([]byte, 2048))
	for _, span := range spans(f, archive) {
		spoilt := bytes.Clone(archive)
		spoilt[span.content] ^= 0x20
		f.Add(spoilt)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, trust := range []bundle.Trust{{WithoutAnyCheck: true}, {AllowUnsigned: true}} {
			file := ways["file"](context.Background(), data, trust)
			stream := ways["stream"](context.Background(), data, trust)
			if (file == nil) != (stream == nil) {
				t.Errorf("from a file: %v; from a stream: %v", file, stream)
			}
		}
	})
}
