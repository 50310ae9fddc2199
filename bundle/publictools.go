package bundle

// OpenSSLInstructions are shell commands that verify a bundle's signature with
// tar, sed and OpenSSL alone. BUNDLE has to be set to the archive and KEY to
// the public key's file; both may be paths. They write into the current
// folder. The first prints the key's id, to be compared with what the sender
// says; the last prints "Verified OK" and succeeds only if the signature holds.
//
// The archive is not trusted yet, so tar prints what it finds and creates
// nothing itself: a link of that name gives an empty file, and a second file of
// that name makes both one that nobody has signed.
const OpenSSLInstructions = `openssl pkey -pubin -in "$KEY" -outform DER | openssl dgst -sha256 -binary | openssl base64
tar -xOf "$BUNDLE" bundle.json > bundle.json
tar -xOf "$BUNDLE" bundle.sigstore.json > bundle.sigstore.json
sed -n 's/.*"signature": *"\([A-Za-z0-9+/=]*\)".*/\1/p' bundle.sigstore.json | openssl base64 -d -A > bundle.sig
openssl dgst -sha256 -verify "$KEY" -signature bundle.sig bundle.json
`

// CosignInstructions are shell commands that do the same with Sigstore's
// cosign, from version 2.6 on, without a network. BUNDLE and KEY are as for
// [OpenSSLInstructions].
//
// The frightening flag says that no public log is asked, which could not be
// reached and which the signature was not entered into; the trusted root is
// empty for the same reason, and is there to keep cosign from fetching one.
const CosignInstructions = `tar -xOf "$BUNDLE" bundle.json > bundle.json
tar -xOf "$BUNDLE" bundle.sigstore.json > bundle.sigstore.json
tar -xOf "$BUNDLE" trusted_root.json > trusted_root.json
cosign verify-blob --key "$KEY" --bundle bundle.sigstore.json --insecure-ignore-tlog --trusted-root trusted_root.json bundle.json
`

// emptyTrustedRoot returns the file trusted_root.json: a Sigstore trusted root
// (sigstore_trustroot.proto, message TrustedRoot) that trusts nobody. Trust
// comes from the public key alone.
func emptyTrustedRoot() []byte {
	return []byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}` + "\n")
}
