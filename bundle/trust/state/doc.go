// Package state is what a site remembers of the bundles that it has accepted,
// outside of any bundle, so that it never goes back unnoticed.
//
// A signature says who made a bundle, and nothing of whether it is the newest:
// an old bundle with a known hole in it is as well signed as ever. So each
// release carries a sequence that only grows, and a site remembers, by the
// release's name, the highest that it has accepted. A lower one is refused, and
// so is one that leaps ahead: signed by mistake or with a stolen key, it would
// shut out every delivery that follows (TUF specification, "rollback attack" and
// "fast-forward attack").
//
// # Keys
//
// The name counts, not the key: a second or a rotated key does not start with a
// clean slate. Beside each sequence stand the keys that had signed the bundle. A
// key that is revoked takes with it what it alone had signed, and what was
// accepted from others before counts again. That is how a site recovers from a
// key that signed too high a number; [State.Accept] with a reason is the other
// way. What was accepted unsigned stays, as nobody can be revoked for it.
//
// # The file
//
// It is JSON: a [State] as manifests.EncodeJSON writes it. A file of the first
// format, which held sequences by release name and key, is read as well: [Read]
// keeps every entry of it, every revoked key and every remark. docs/state.md
// describes both.
package state
