// Package manifests reads, checks and combines the documents that say what a
// delivery consists of. It has no network: it knows names, not content.
//
// There are four kinds of document, in YAML or JSON:
//
//   - A [Release] says what one delivery consists of, by name: charts with
//     their values, images, files, platforms. Wire's own build.json is read as
//     one ([Read]).
//   - An overlay has the form of a release in which everything is optional.
//     [Lay] lays it over a release: what it gives replaces or is added. So a
//     site's differences are a short document and no copy.
//   - A [Patch] changes a release between cycles, in order to close holes, and
//     says what it applies to, what it needs and how urgent it is. [LayPatches]
//     orders patches and lays them over a release.
//   - A [Lock] is a release in which nothing is left to choose: every chart,
//     image, file and blob is pinned by digest and size. Package
//     bundle/resolve makes it, and a bundle is built of it and nothing else.
//
// In the order in which they are laid:
//
//	release ◄─ overlay ◄─ overlay ◄─ patches ──► resolve ──► lock
//
// Documents come from outside. Each is decoded strictly ([DecodeStrict]): fields
// that nobody knows, anchors, text behind the document and values of another
// type are refused, and all flaws are told at once, each with file, line, column
// and field, as errors of package fault. Reading is bounded by named limits, and
// a text is not a [Digest], [Platform] or [ImageRef] until it has been checked.
//
// Writing is as strict: the same lock gives the same bytes, sorted, so that two
// of them can be compared by line.
package manifests
