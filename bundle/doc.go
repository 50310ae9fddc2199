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
//   - [Plan.Sign] signs the inventory, which binds all that follows it. A
//     signature has its own entry of a fixed size ([SignatureSize]), so that
//     signing, signing again and further signers move no other byte.
//   - [Fill] fetches the parts from a [Source] in parallel and writes each straight
//     to its final place. The archive is its own journal: a part's tar header is
//     written after the part, and a header's presence is only a claim that the
//     part's hash must prove when an interrupted build is taken up again.
//
// The same lock, tools and key give the same bytes.
//
// A bundle is read in two:
//
//   - [Open] checks the signatures over the inventory before it believes
//     anything else in the archive. [Bundle.SignedBy] are all trusted keys that
//     have signed; one is enough.
//   - [Bundle.Verify], or [VerifyStream] for a pipe, computes what every byte
//     that is not content must be, compares, and hashes the content.
//
// What is taken out of a bundle goes through [Bundle.OpenEntry],
// [Bundle.ReadEntry] or [Bundle.FS], which hash it on its way and never end bad
// content as if it were good: a disk may have changed since the bundle was
// verified. They work on a bundle of which nothing but the front was read.
//
// A delta ([Plan.Delta], [Plan.DeepDelta]) begins with the whole new inventory and
// its signatures, and carries only what a base lacks; [Apply] makes the very
// bytes of the full bundle of the two.
//
// Errors are those of package fault. What the archive is to blame for is of kind
// fault.Refused and names the entry; a disk or a pipe that fails says nothing
// about the bundle, and is fault.Failure. A [Bundle] may be read from several
// goroutines at once, each reader from one.
package bundle
