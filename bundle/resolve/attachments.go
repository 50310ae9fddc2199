package resolve

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/internal/exactjson"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

const (
	maxAttachments  = 200      // of one manifest
	maxSignatures   = 200      // in one signature manifest
	maxSimpleSigned = 64 << 10 // bytes of what cosign signs

	// cosign, specs/SIGNATURE_SPEC.md
	simpleSigning       = "application/vnd.dev.cosign.simplesigning.v1+json"
	signatureAnnotation = "dev.cosignproject.cosign/signature"
	simpleSigningType   = "cosign container image signature"
)

// cosignTags are the kinds of what cosign puts under a tag that is made from
// the digest, and how such a tag ends.
var cosignTags = []struct{ suffix, kind string }{
	{".sig", manifests.AttachedSignature}, {".att", manifests.AttachedAttestation}, {".sbom", manifests.AttachedSBOM},
}

// attachments takes along what upstream publishes beside an image, and makes
// sure that the image is signed where a rule demands it.
func (r *resolver) attachments(ctx context.Context, image manifests.LockedImage) ([]manifests.LockedAttachment, error) {
	var keys []string
	for _, rule := range r.release.Attachments.Verify {
		if rule.For(image.Name) && !slices.Contains(keys, rule.Key) {
			keys = append(keys, rule.Key)
		}
	}
	if !r.release.Attachments.Take && len(keys) == 0 {
		return nil, nil
	}
	subjects := append([]manifests.Digest{image.Digest}, image.Indexes...)
	for _, m := range image.Manifests {
		if !slices.Contains(subjects, m.Digest) {
			subjects = append(subjects, m.Digest)
		}
	}
	var all []manifests.LockedAttachment
	for _, subject := range subjects {
		found, err := r.attachedTo(ctx, image.Name, subject)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b manifests.LockedAttachment) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Digest, b.Digest))
	})
	if len(keys) == 0 {
		return all, nil
	}
	return all, r.verifyImage(ctx, image, keys, all)
}

// attachedTo returns what refers to one manifest: under cosign's tags, and as an
// OCI referrer.
func (r *resolver) attachedTo(
	ctx context.Context, image manifests.ImageRef, subject manifests.Digest,
) ([]manifests.LockedAttachment, error) {
	var all []manifests.LockedAttachment
	for _, tag := range cosignTags {
		ref := manifests.ImageRef{Registry: image.Registry, Repository: image.Repository, Tag: "sha256-" + subject.Hex() + tag.suffix}
		found, err := r.world.Manifest(ctx, ref)
		if r.absent(ref, err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		a, err := r.attachment(ctx, ref, found, subject, tag.kind)
		if err != nil {
			return nil, err
		}
		a.Tag = ref.Tag
		all = append(all, a)
	}
	by := manifests.ImageRef{Registry: image.Registry, Repository: image.Repository, Digest: subject}
	list, err := r.world.Referrers(ctx, by)
	if r.absent(by, err) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	referrers, err := r.referrers(ctx, by, list)
	return append(all, referrers...), err
}

// absent reports whether there is nothing, as far as can be known.
func (r *resolver) absent(ref manifests.ImageRef, err error) bool {
	if errors.Is(err, source.ErrOffline) {
		r.progress.Notice("whether upstream has " + ref.String() + " is not known without the network: it is not carried")
	}
	return errors.Is(err, source.ErrNotFound) || errors.Is(err, source.ErrOffline)
}

func (r *resolver) referrers(ctx context.Context, by manifests.ImageRef, list source.Manifest) ([]manifests.LockedAttachment, error) {
	var index struct {
		Manifests []struct {
			Digest       manifests.Digest `json:"digest"`
			ArtifactType string           `json:"artifactType"`
		} `json:"manifests"`
	}
	if err := manifests.DecodeImageJSON(list.Bytes, &index); err != nil {
		return nil, upstreamFault(by, "", "list of referrers is not readable: %w", err)
	}
	if len(index.Manifests) > maxAttachments {
		return nil, upstreamFault(by, "", "list of referrers has %d entries, at most %d are taken", len(index.Manifests), maxAttachments)
	}
	var all []manifests.LockedAttachment
	for _, entry := range index.Manifests {
		ref := manifests.ImageRef{Registry: by.Registry, Repository: by.Repository, Digest: entry.Digest}
		found, err := r.world.Manifest(ctx, ref)
		if err != nil {
			return nil, err
		}
		a, err := r.attachment(ctx, ref, found, by.Digest, manifests.AttachedReferrer)
		if err != nil {
			return nil, err
		}
		a.ArtifactType = entry.ArtifactType
		all = append(all, a)
	}
	return all, nil
}

// attachment notes an attachment's manifest and blobs.
func (r *resolver) attachment(
	ctx context.Context, ref manifests.ImageRef, found source.Manifest, subject manifests.Digest, kind string,
) (manifests.LockedAttachment, error) {
	if manifests.IsIndex(found.MediaType) {
		return manifests.LockedAttachment{}, upstreamFault(ref, "", "attachment %s is an index, and only manifests are carried", found.Digest)
	}
	_, m, err := r.manifest(ctx, ref, found)
	if err != nil {
		return manifests.LockedAttachment{}, err
	}
	return manifests.LockedAttachment{
		Subject: subject, Kind: kind, Digest: found.Digest, Blobs: append([]manifests.Digest{m.Config}, m.Layers...),
	}, nil
}

// verifyImage makes sure that one of the keys has signed the image, and notes
// which. A signature of the index stands for the whole image; one of a single
// platform's manifest does not.
func (r *resolver) verifyImage(
	ctx context.Context, image manifests.LockedImage, keyFiles []string, attached []manifests.LockedAttachment,
) error {
	keys, err := r.inputs.keys(keyFiles)
	if err != nil {
		return err
	}
	var reasons []error
	for i := range attached {
		a := &attached[i]
		if a.Kind != manifests.AttachedSignature || a.Subject != image.Digest {
			continue
		}
		ref := manifests.ImageRef{Registry: image.Name.Registry, Repository: image.Name.Repository, Digest: a.Digest}
		key, err := r.simpleSigned(ctx, ref, image.Digest, keys)
		if err == nil {
			a.VerifiedBy = key.ID()
			return nil
		}
		reasons = append(reasons, err)
	}
	if len(reasons) == 0 {
		reasons = append(reasons, errors.New("upstream has no signature of it"))
	}
	return fault.New(fault.Refused, fault.Upstream, "image "+image.Name.String(), "the release demands it below attachments.verify",
		"image is not signed by a key of the release: %w", errors.Join(reasons...))
}

// simpleSigned looks in a signature manifest for one that a key has made over
// the image's digest.
func (r *resolver) simpleSigned(
	ctx context.Context, ref manifests.ImageRef, image manifests.Digest, keys []signature.PublicKey,
) (signature.PublicKey, error) {
	found, err := r.world.Manifest(ctx, ref)
	if err != nil {
		return signature.PublicKey{}, err
	}
	var m struct {
		Layers []struct {
			manifests.Content
			Annotations map[string]string `json:"annotations"`
		} `json:"layers"`
	}
	if err := manifests.DecodeImageJSON(found.Bytes, &m); err != nil {
		return signature.PublicKey{}, err
	}
	reason := errors.New("its signatures are by other keys")
	for _, layer := range m.Layers[:min(len(m.Layers), maxSignatures)] {
		der, err := base64.StdEncoding.DecodeString(layer.Annotations[signatureAnnotation])
		if err != nil || layer.MediaType != simpleSigning || layer.Size > maxSimpleSigned {
			continue
		}
		layer.Repository = ref.Name()
		payload, err := r.small(ctx, layer.Content)
		if err != nil {
			return signature.PublicKey{}, err
		}
		for _, key := range keys {
			if !signedBy(key, payload, der) {
				continue
			}
			if reason = names(payload, image); reason == nil {
				return key, nil
			}
		}
	}
	return signature.PublicKey{}, reason
}

// small reads content that fits into memory, and checks its digest.
func (r *resolver) small(ctx context.Context, content manifests.Content) ([]byte, error) {
	reader, err := r.world.Open(ctx, content, 0)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	data, err := io.ReadAll(io.LimitReader(reader, maxSimpleSigned+1))
	if err == nil && manifests.DigestOf(data) != content.Digest {
		err = fmt.Errorf("blob does not have its digest %s", content.Digest)
	}
	return data, err
}

func signedBy(key signature.PublicKey, payload, der []byte) bool {
	block, _ := pem.Decode(key.PEM())
	if block == nil {
		return false
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	public, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok {
		return false
	}
	sum := sha256.Sum256(payload)
	return ecdsa.VerifyASN1(public, sum[:], der)
}

// names makes sure that what was signed is about an image: a good signature of
// another image is none of this one.
func names(payload []byte, image manifests.Digest) error {
	var simple struct {
		Critical struct {
			Image struct {
				Digest string `json:"docker-manifest-digest"`
			} `json:"image"`
			Type string `json:"type"`
		} `json:"critical"`
	}
	err := json.Unmarshal(payload, &simple)
	if err == nil {
		err = exactjson.Members(payload, &simple)
	}
	if err != nil {
		return fmt.Errorf("what was signed is not readable: %w", err)
	}
	if simple.Critical.Type != simpleSigningType || simple.Critical.Image.Digest != string(image) {
		return fmt.Errorf("what was signed is a %.60q of %.80q, not of %s", simple.Critical.Type, simple.Critical.Image.Digest, image)
	}
	return nil
}
