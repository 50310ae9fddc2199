package manifests

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/distribution/reference"
)

// Digest is "sha256:" and 64 lowercase hexadecimal digits (OCI image-spec,
// descriptor.md, "Digests"). Only SHA-256 is accepted: it is the one algorithm
// that every registry and client must support.
type Digest string

// ParseDigest checks a digest that came from outside.
func ParseDigest(s string) (Digest, error) {
	encoded, ok := strings.CutPrefix(s, "sha256:")
	if !ok || !isLowerHex(encoded, sha256.Size*2) {
		return "", fmt.Errorf("%.80q is not a digest of the form sha256:<64 lowercase hex digits>", s)
	}
	return Digest(s), nil
}

// DigestOf returns the digest of content held in memory.
func DigestOf(content []byte) Digest {
	sum := sha256.Sum256(content)
	return DigestFromSum(sum[:])
}

// EmptyDigest is the digest of no bytes at all, the only one of content without any.
const EmptyDigest Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// DigestFromSum returns the digest for a SHA-256 sum of 32 bytes.
func DigestFromSum(sum []byte) Digest { return Digest("sha256:" + hex.EncodeToString(sum)) }

// Hex returns the 64 hexadecimal digits.
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), "sha256:") }

// Short returns the first 12 hexadecimal digits, for people.
func (d Digest) Short() string { return d.Hex()[:min(12, len(d.Hex()))] }

// UnmarshalText checks the digest; it makes every decoded Digest a valid one.
func (d *Digest) UnmarshalText(text []byte) error {
	parsed, err := ParseDigest(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

func isLowerHex(s string, length int) bool {
	if len(s) != length {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Bytes is a size or an amount of data in bytes.
type Bytes int64

// String returns the amount in binary units with three significant digits: "1.42 GiB".
func (b Bytes) String() string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	amount, unit := float64(b), 0
	for amount >= 1024 && unit < len(units)-1 {
		amount, unit = amount/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", int64(b))
	}
	digits := 2
	if amount >= 100 {
		digits = 0
	} else if amount >= 10 {
		digits = 1
	}
	return strconv.FormatFloat(amount, 'f', digits, 64) + " " + units[unit]
}

// ImageRef names an image as a pod names it, in full: the registry host, the
// repository and a tag, a digest or both. Docker Hub's short names are spelled
// out as containerd spells them ("nginx:1.25" is
// "docker.io/library/nginx:1.25").
type ImageRef struct {
	Registry   string // host[:port], such as quay.io
	Repository string // such as wire/brig
	Tag        string // empty if only a digest is given
	Digest     Digest // empty if only a tag is given
}

// ErrNoTag says that a reference has neither a tag nor a digest, so that it
// would mean "latest".
var ErrNoTag = errors.New("image has neither tag nor digest")

// ParseImageRef reads a reference by the grammar of distribution/reference. A
// reference without tag and digest is returned together with [ErrNoTag].
func ParseImageRef(s string) (ImageRef, error) {
	named, err := reference.ParseNormalizedNamed(s)
	if err != nil {
		return ImageRef{}, fmt.Errorf("%.200q is not an image reference: %w", BareName(s), err)
	}
	ref := ImageRef{Registry: reference.Domain(named), Repository: reference.Path(named)}
	if tagged, ok := named.(reference.Tagged); ok {
		ref.Tag = tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		if ref.Digest, err = ParseDigest(digested.Digest().String()); err != nil {
			return ImageRef{}, err
		}
	}
	if ref.Tag == "" && ref.Digest == "" {
		return ref, fmt.Errorf("%s: %w", s, ErrNoTag)
	}
	return ref, nil
}

// Name returns "registry/repository".
func (r ImageRef) Name() string { return r.Registry + "/" + r.Repository }

// String returns the whole reference.
func (r ImageRef) String() string {
	s := r.Name()
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + string(r.Digest)
	}
	return s
}

// MarshalText writes the reference as String does.
func (r ImageRef) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads and checks a reference.
func (r *ImageRef) UnmarshalText(text []byte) error {
	parsed, err := ParseImageRef(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}
