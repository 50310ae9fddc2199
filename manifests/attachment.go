package manifests

import (
	"fmt"
	"slices"
)

// Attachments say what is done about the signatures, attestations and bills of
// materials that upstream publishes beside its images, as OCI referrers or
// under cosign's tags.
type Attachments struct {
	Take   bool            `yaml:"take,omitempty"`   // carry what there is of every image
	Verify []SignatureRule `yaml:"verify,omitempty"` // images that have to be signed
}

// SignatureRule demands that images are signed by a key, with cosign's simple
// signing.
type SignatureRule struct {
	Images string `yaml:"images"` // pattern on whole image references, in which * stands for any characters
	Key    string `yaml:"key"`    // public key file, relative to the document
}

// For reports whether the rule is for an image.
func (s SignatureRule) For(image ImageRef) bool {
	return ImagePattern{Pattern: s.Images}.Matches(image.String())
}

// layAttachments returns both together: what one document demands, no other
// takes back.
func layAttachments(under, over Attachments) Attachments {
	return Attachments{Take: under.Take || over.Take, Verify: joined(under.Verify, over.Verify)}
}

func (c *checker) attachments() {
	for i, rule := range c.release.Attachments.Verify {
		c.want(rule.Images != "" && rule.Key != "", fmt.Sprintf("attachments.verify[%d]", i),
			"such as {images: quay.io/wire/*, key: wire.pub}", "a rule on signatures wants both images and key")
	}
}

// LockedAttachment is something that upstream publishes beside an image, pinned.
// Its blobs are among those of the lock.
type LockedAttachment struct {
	Subject      Digest   `json:"subject"`                // the index or manifest that it is about
	Kind         string   `json:"kind"`                   // signature, attestation or sbom under cosign's tags, else referrer
	Tag          string   `json:"tag,omitempty"`          // in the image's repository, if it has one
	ArtifactType string   `json:"artifactType,omitempty"` // of a referrer
	Digest       Digest   `json:"digest"`                 // of its own manifest
	Blobs        []Digest `json:"blobs"`
	VerifiedBy   string   `json:"verifiedBy,omitempty"` // id of the key by which a signature was found good
}

// The kinds of attachment.
const (
	AttachedSignature   = "signature"
	AttachedAttestation = "attestation"
	AttachedSBOM        = "sbom"
	AttachedReferrer    = "referrer"
)

func (i LockedImage) checkAttachments(blobs map[Digest]Content) error {
	subjects := append([]Digest{i.Digest}, i.Indexes...)
	for _, m := range i.Manifests {
		subjects = append(subjects, m.Digest)
	}
	for _, a := range i.Attachments {
		if !slices.Contains(subjects, a.Subject) {
			return fmt.Errorf("attachment %s is about %s, which is not of the image", a.Digest, a.Subject)
		}
		for _, digest := range append([]Digest{a.Digest}, a.Blobs...) {
			if _, ok := blobs[digest]; !ok {
				return fmt.Errorf("blob %s of an attachment is not listed", digest)
			}
		}
	}
	return nil
}
