package bundle

import (
	"context"
	"io"

	"github.com/islandbundle/island/manifests"
)

// Source is where the bytes of a bundle come from while it is filled: a
// registry, a mirror, an earlier bundle, a folder. It is the one thing that
// stands between the planner and the world.
type Source interface {
	// Open opens pinned content from offset on (0 ≤ offset < size). The reader
	// gives the content's bytes from there and then io.EOF; what it gives is
	// not trusted, the caller checks size and digest. Open returns an error
	// that says which source failed and how.
	Open(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error)
}
