package deep

import "io"

// ProbeText and Probe are for tests of what compressors make.
var (
	ProbeText = probeText
	Probe     = Gzip.probe
)

// NewStepReader is [NewReader] for steps that are not compressed.
func NewStepReader(steps io.Reader, base io.ReaderAt, baseSize, size int64) io.Reader {
	return newReader(steps, base, baseSize, size)
}
