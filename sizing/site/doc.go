// Package site holds what is said of a site: the one document that sizing and
// preflight read, the roles that its machines have, the units that their sizes
// are given in, and the table of which of them must reach which.
//
// It has types and checks only. Whether a site is large enough, and whether its
// machines are, are the matters of the packages above it, which also hand in what
// this one cannot know: see [Names].
package site
