package manifests

import (
	"fmt"
	"strings"
)

// maxVersion is how long a release's version may be. It stands in the names of
// files, which have 255 bytes, beside the release's name of at most 63.
const maxVersion = 128

// versionWith returns a version that says which patches were laid over it. Their
// ids stand behind a plus sign, as the metadata of a build does (semver.org, section
// 10), which knows no underscore. Of a list that is too long for a version, the
// ids that fit are kept; what stands for the others says how many they are, and is
// another for another list.
func versionWith(version string, ids []string) string {
	if version == "" || len(ids) == 0 {
		return version
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = strings.ReplaceAll(id, "_", "-")
	}
	sign := "+"
	if strings.Contains(version, "+") {
		sign = "."
	}
	digest := DigestOf([]byte(strings.Join(ids, "\n"))).Hex()[:8]
	text := version + sign + strings.Join(names, ".")
	for kept := len(names) - 1; len(text) > maxVersion && kept > 0; kept-- {
		text = fmt.Sprintf("%s%s%s.%d-more-%s", version, sign, strings.Join(names[:kept], "."), len(names)-kept, digest)
	}
	if len(text) > maxVersion {
		text = fmt.Sprintf("%s%s%d-patches-%s", version, sign, len(names), digest)
	}
	return text
}
