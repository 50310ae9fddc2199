// Package signature signs documents, above all a bundle's inventory, and checks
// such signatures.
//
// # What is signed
//
// A signature is over the SHA-256 of one document. A bundle begins with
// bundle.json, the inventory, which names the size and SHA-256 of everything
// behind it. Whoever can trust bundle.json can therefore trust the whole archive,
// so one signature over one small file is enough. A release or a patch is signed
// as it is.
//
// The signature is ECDSA on the curve P-256, in the format that Sigstore's own
// tools write and read: a Sigstore bundle v0.3 that holds a messageSignature.
// Nothing here is particular to this project. The real cosign verifies what
// [Sign] writes on a machine without any network, OpenSSL does so with a line of
// sed in front, and a signature that cosign made is as good as one made by
// [Sign]. A site need not trust this program in order to find out whether it may.
//
// # What a signature proves, and what it does not
//
// A valid signature proves that the holder of the private key signed this
// very content. It says nothing about when. The format has room for entries of
// a public log and for time stamps; without a network they cannot be checked
// against anything, so they may be present but are never looked at. Age and
// expiry are fields of the inventory, and so are covered by the signature; that
// nothing older comes back is for package state to see.
//
// All trust starts in the public key, which therefore must not come out of
// the bundle. Its [PublicKey.ID] is short enough to be read out on a telephone.
//
// ECDSA signatures are malleable: from one valid signature anyone can compute a
// second valid one for the same content and key. So a signature's own bytes
// identify nothing; compare the digest of the document instead.
//
// # Private keys
//
// [Sign] takes any [crypto.Signer], so that a key may stay in a token or a
// service. A key in memory signs deterministically (RFC 6979): one key and one
// content give one file.
//
// # Dependencies
//
// This package is all that a site needs for verifying, and it uses the
// standard library's cryptography only. What reads and writes private keys,
// with the passphrase functions that this takes, is in package keyfile.
//
// Specifications: Sigstore's protobuf-specs, sigstore_bundle.proto and
// sigstore_common.proto, in their canonical JSON form; FIPS 186-5 and SEC 1 for
// the signature; RFC 5480 and RFC 7468 for public keys.
package signature
