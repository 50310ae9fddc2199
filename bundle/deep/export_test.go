package deep

import "io"

// For tests outside of the package, of patches and of what compressors make.
var (
	Diff      = writePatch
	NewReader = openPatch
	ProbeText = probeText
	Probe     = Gzip.probe
)

// NewStepReader is [NewReader] for steps that are not compressed.
func NewStepReader(steps io.Reader, base io.ReaderAt, baseSize, size int64) io.Reader {
	return newReader(steps, base, baseSize, size)
}
