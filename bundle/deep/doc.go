// Package deep makes small patches between layers of container images that
// differ in little, and rebuilds the new layer from the old one and the patch,
// to the byte.
//
// A layer is a compressed tar archive. One changed file changes nearly all
// compressed bytes behind it, so that the compressed layers have little in
// common where the archives in them have nearly everything. A patch is therefore
// made of what the layers hold, and what it rebuilds is compressed again. A
// registry knows a layer by the digest of its compressed bytes, so they have to
// come out the same: [Make] finds out which compressor and level made the layer
// ([Gzip]) and proves it, by running the whole way back and comparing digests.
// Where it cannot, there is no patch, and the layer has to be carried as it is.
//
// Whoever applies a patch ([Recipe.Open]) trusts neither: sizes are bounded
// by what the recipe says before a byte is unpacked, and the caller compares
// the result's digest.
package deep
