// Package bundle writes and reads island bundles: signed, plain tar archives
// that are at the same time OCI image layouts, Docker archives and Helm
// repositories. docs/format.md is the specification.
//
// A bundle is made in three steps, each of which knows all that the next one
// needs:
//
//   - [NewPlan] turns a lock into bytes on paper. The size and digest of every
//     part are known, so every byte offset, the total size and the inventory
//     (bundle.json) are known before one blob is fetched.
//   - [Plan.Sign] signs the inventory, which binds all that follows it.
//   - [Fill] fetches the parts in parallel and writes each straight to its
//     final place. The archive is its own journal: a part's tar header is
//     written after the part, and a header's presence is only a claim that the
//     part's hash must prove when an interrupted build is taken up again.
//
// A bundle is read in two:
//
//   - [Open] checks the signature over the inventory before it believes
//     anything else in the archive.
//   - [Bundle.Verify], or [VerifyStream] for a pipe, computes what every byte
//     that is not content must be, compares, and hashes the content.
package bundle
