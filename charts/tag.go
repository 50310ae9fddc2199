package charts

import (
	"errors"
	"fmt"

	"github.com/islandbundle/island/manifests"
)

// The faults of a tag, for errors.Is. An image without any is
// [manifests.ErrNoTag].
var (
	ErrLatest   = errors.New("tag latest means another image every day")
	ErrDoNotUse = errors.New("tag do-not-use says that a value has to be set")
)

// CheckTag refuses a reference that does not say which image it means: one
// without tag and digest, or with the tag latest and no digest. It also refuses
// the tag do-not-use, which Wire's charts carry where a value must be set.
func CheckTag(ref manifests.ImageRef) error {
	switch {
	case ref.Tag == "do-not-use":
		return fmt.Errorf("%s: %w", ref, ErrDoNotUse)
	case ref.Digest != "":
		return nil
	case ref.Tag == "":
		return fmt.Errorf("%s: %w", ref, manifests.ErrNoTag)
	case ref.Tag == "latest":
		return fmt.Errorf("%s: %w", ref, ErrLatest)
	}
	return nil
}
