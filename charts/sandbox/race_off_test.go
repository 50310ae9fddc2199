//go:build !race

package sandbox

const underRaceDetector = false
