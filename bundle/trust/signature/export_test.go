package signature

// DERSignature returns the bare signature out of a signature file, an ASN.1 DER
// SEQUENCE of two integers (SEC 1, C.5). It does not verify it.
func DERSignature(bundleJSON []byte) ([]byte, error) {
	found, err := read("bundle.sigstore.json", bundleJSON)
	return found.der, err
}
