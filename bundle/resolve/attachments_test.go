package resolve_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// upstream is a registry with one image, quay.io/wire/brig:1.
type upstream struct {
	t      *testing.T
	addr   string
	folder string // of the release
	image  v1.Image
	digest v1.Hash

	notices notices // of one image at a time
}

func newUpstream(t *testing.T, options ...registry.Option) *upstream {
	t.Helper()
	server := httptest.NewServer(registry.New(append(options, registry.Logger(log.New(io.Discard, "", 0)))...))
	t.Cleanup(server.Close)
	u := &upstream{t: t, addr: strings.TrimPrefix(server.URL, "http://"), folder: t.TempDir()}
	image, err := mutate.AppendLayers(empty.Image, static.NewLayer([]byte("layer"), types.OCILayer))
	u.check(err)
	config, err := image.ConfigFile()
	u.check(err)
	config.OS, config.Architecture = "linux", "amd64"
	u.image, err = mutate.ConfigFile(mutate.MediaType(image, types.OCIManifestSchema1), config)
	u.check(err)
	u.digest, err = u.image.Digest()
	u.check(err)
	u.push("1", u.image)
	return u
}

func (u *upstream) check(err error) {
	u.t.Helper()
	if err != nil {
		u.t.Fatal(err)
	}
}

func (u *upstream) push(tag string, image v1.Image) {
	u.t.Helper()
	ref, err := name.ParseReference(u.addr+"/wire/brig:"+tag, name.Insecure)
	u.check(err)
	u.check(remote.Write(ref, image))
}

// cosignTag is the tag under which cosign puts what is about the image.
func (u *upstream) cosignTag(suffix string) string { return "sha256-" + u.digest.Hex + suffix }

// sign signs as `cosign sign --key` does (cosign, specs/SIGNATURE_SPEC.md).
func (u *upstream) sign(key *ecdsa.PrivateKey, digest string) {
	u.t.Helper()
	payload := fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":"quay.io/wire/brig"},`+
		`"image":{"docker-manifest-digest":%q},"type":"cosign container image signature"},"optional":null}`, digest)
	sum := sha256.Sum256(payload)
	der, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	u.check(err)
	signed, err := mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), mutate.Addendum{
		Layer:       static.NewLayer(payload, "application/vnd.dev.cosign.simplesigning.v1+json"),
		Annotations: map[string]string{"dev.cosignproject.cosign/signature": base64.StdEncoding.EncodeToString(der)},
	})
	u.check(err)
	u.push(u.cosignTag(".sig"), signed)
}

func (u *upstream) key(file string) *ecdsa.PrivateKey {
	u.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	u.check(err)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	u.check(err)
	u.check(os.WriteFile(filepath.Join(u.folder, file), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644))
	return key
}

// resolve resolves a release of the one image with some attachments policy.
func (u *upstream) resolve(attachments string) (*manifests.Lock, error) {
	u.t.Helper()
	file := filepath.Join(u.folder, "release.yaml")
	u.check(os.WriteFile(file, []byte("apiVersion: island/v1\nkind: Release\nmetadata: {name: wire, version: 1.0.0, date: 2026-03-31}\n"+
		"platforms: [linux/amd64]\nimages: [{name: \"quay.io/wire/brig:1\"}]\n"+attachments+"\n"), 0o644))
	assembled, err := resolve.Assemble(resolve.Input{File: file})
	u.check(err)
	mirrors, err := source.ParseMirrors("mirrors.yaml", []byte("apiVersion: island/v1\nkind: Mirrors\n"+
		"rules: [{prefix: quay.io, onlyMirrors: true, mirrors: [{location: \""+u.addr+"\", insecure: true}]}]\n"))
	u.check(err)
	world, err := source.New(source.Options{Mirrors: mirrors, CacheDir: u.t.TempDir()})
	u.check(err)
	defer world.Close()
	return resolve.Resolve(context.Background(), assembled, world, resolve.Options{})
}

func kinds(lock *manifests.Lock) string {
	var list []string
	for _, a := range lock.Images[0].Attachments {
		list = append(list, a.Kind)
	}
	return strings.Join(list, " ")
}

func TestAttachmentsAreTakenAlong(t *testing.T) {
	t.Parallel()
	artifact := func(u *upstream, text string) v1.Image {
		layer := static.NewLayer([]byte(text), "application/spdx+json")
		image, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layer)
		u.check(err)
		size, err := u.image.Size()
		u.check(err)
		return mutate.Subject(image, v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: u.digest, Size: size}).(v1.Image)
	}
	for _, test := range []struct {
		name    string
		options []registry.Option // with and without the referrers API: then the tag schema holds
	}{{"listed by the registry", []registry.Option{registry.WithReferrersSupport(true)}}, {"under the fallback tag", nil}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, test.options...)
			if lock, err := u.resolve("attachments: {take: true}"); err != nil || kinds(lock) != "" {
				t.Fatalf("an image without any: %v", err)
			}
			u.sign(u.key("wire.pub"), u.digest.String())
			u.push(u.cosignTag(".sbom"), artifact(u, "old form"))
			u.push("any", artifact(u, "sbom")) // remote.Write keeps the fallback tag where there is no API
			lock, err := u.resolve("attachments: {take: true}")
			if err != nil {
				t.Fatal(err)
			}
			// What has a subject is a referrer as well, whatever its tag.
			if got := kinds(lock); got != "referrer referrer sbom signature" {
				t.Errorf("taken: %s", got)
			}
			for _, a := range lock.Images[0].Attachments {
				for _, digest := range append([]manifests.Digest{a.Digest}, a.Blobs...) {
					if !slices.ContainsFunc(lock.Blobs, func(c manifests.Content) bool { return c.Digest == digest }) {
						t.Errorf("blob %s of %s is not in the lock", digest, a.Kind)
					}
				}
			}
			if lock, err := u.resolve(""); err != nil || kinds(lock) != "" {
				t.Errorf("taken unasked: %v", err)
			}
		})
	}
}

func TestUpstreamSignatures(t *testing.T) {
	t.Parallel()
	const demand = `attachments: {verify: [{images: "quay.io/wire/*", key: wire.pub}]}`
	for _, test := range []struct {
		name   string
		sign   func(u *upstream, wire *ecdsa.PrivateKey)
		policy string
		want   string // empty: resolved, and verified
	}{
		{"good", func(u *upstream, wire *ecdsa.PrivateKey) { u.sign(wire, u.digest.String()) }, demand, ""},
		{"none", func(*upstream, *ecdsa.PrivateKey) {}, demand, "upstream has no signature of it"},
		{"another key", func(u *upstream, _ *ecdsa.PrivateKey) { u.sign(u.key("stranger.pub"), u.digest.String()) },
			demand, "its signatures are by other keys"},
		{"one of two keys", func(u *upstream, _ *ecdsa.PrivateKey) { u.sign(u.key("second.pub"), u.digest.String()) },
			`attachments: {verify: [{images: "quay.io/*", key: wire.pub}, {images: "quay.io/wire/brig:*", key: second.pub}]}`, ""},
		{"of another image", func(u *upstream, wire *ecdsa.PrivateKey) { u.sign(wire, string(manifests.DigestOf(nil))) },
			demand, "what was signed is"},
		{"rubbish", func(u *upstream, _ *ecdsa.PrivateKey) { u.push(u.cosignTag(".sig"), u.image) }, demand, "its signatures are by other keys"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			test.sign(u, u.key("wire.pub"))
			lock, err := u.resolve(test.policy)
			switch {
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || fault.ExitCode(err) != int(fault.Refused)):
				t.Errorf("it says %v (exit code %d), not %q", err, fault.ExitCode(err), test.want)
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want == "" && lock.Images[0].Attachments[0].VerifiedBy == "":
				t.Error("the lock does not say which key")
			}
		})
	}
}
