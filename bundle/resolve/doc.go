// Package resolve turns names into content: a release into a lock.
//
// It is the one room that wires the others together. [Assemble] lays documents
// and flags over each other; [Resolve] fetches and renders the charts, finds
// the images in them, looks up tags, and pins every chart, image, blob and file
// by digest and size. After that nothing is chosen any more.
package resolve
