package charts

import (
	"testing"

	"github.com/islandbundle/island/internal/plaintar/sparsetest"
)

// TestSparseEntriesAreRefused: a hole is read as zeros that no limit on what is
// unpacked counts, in a chart and in the archive of a subchart.
func TestSparseEntriesAreRefused(t *testing.T) {
	t.Parallel()
	chart := sparsetest.File("app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n")
	for name, hole := range sparsetest.Holes("app/hole", MaxFile) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hostile := sparsetest.Gzip(t, sparsetest.Archive(chart, hole))
			checkLoadFault(t, hostile, ErrForbidden, "sparse file")
			checkLoadFault(t, sparsetest.Gzip(t, sparsetest.Archive(chart, sparsetest.File("app/charts/sub.tgz", string(hostile)))),
				ErrForbidden, "subchart charts/sub.tgz")
		})
	}
	plain := sparsetest.Gzip(t, sparsetest.Archive(chart, sparsetest.Records("comment=x"), sparsetest.File("app/plain", "abc")))
	if _, err := Load(plain); err != nil {
		t.Errorf("one without holes: %v", err)
	}
}
