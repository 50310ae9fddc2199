//go:build race

package sandbox

const underRaceDetector = true
