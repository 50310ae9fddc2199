package manifests

// Policy says which documents have to be signed before they are resolved, and
// whose signatures count. A policy that stands in a release cannot vouch for
// that release itself: it counts for patches; one in an overlay or on the
// command line counts for all documents.
type Policy struct {
	RequireSignedRelease bool     `yaml:"requireSignedRelease,omitempty"`
	RequireSignedPatches bool     `yaml:"requireSignedPatches,omitempty"`
	Keys                 []string `yaml:"keys,omitempty"` // public key files, relative to the document
}

// layPolicy returns the stricter of two policies: a document that is laid over
// another cannot take back what that one demands. It may add keys.
func layPolicy(under, over Policy) Policy {
	return Policy{
		RequireSignedRelease: under.RequireSignedRelease || over.RequireSignedRelease,
		RequireSignedPatches: under.RequireSignedPatches || over.RequireSignedPatches,
		Keys:                 joined(under.Keys, over.Keys),
	}
}
