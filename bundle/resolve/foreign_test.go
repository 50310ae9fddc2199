package resolve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// everywhere is a keychain that has credentials for whoever asks.
type everywhere struct{}

func (everywhere) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig{Username: "me", Password: "hunter2"}), nil
}

// vendor gives out layers that registries may not, and writes down what it was told.
type vendor struct {
	url   string
	layer []byte
	told  []string
	asked []string
}

func newVendor(t *testing.T, layer string) *vendor {
	t.Helper()
	v := &vendor{layer: []byte(layer)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.told = append(v.told, r.Header.Get("Authorization")+r.Header.Get("Cookie")+r.Header.Get("Referer"))
		v.asked = append(v.asked, r.URL.RequestURI())
		switch {
		case strings.HasPrefix(r.URL.Path, "/layer"):
			_, _ = w.Write(v.layer)
		case r.URL.Path == "/signed" && r.URL.Query().Get("sig") == "hunter2":
			_, _ = w.Write(v.layer)
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/layer", http.StatusFound)
		case r.URL.Path == "/other":
			_, _ = w.Write(bytes.ToUpper(v.layer))
		case r.URL.Path == "/longer":
			_, _ = w.Write(append(v.layer, 'x'))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

// pushForeign puts an image with a layer that is not to be distributed into the
// registry, without the layer unless it is held there.
func (u *upstream) pushForeign(tag string, mediaType types.MediaType, layer []byte, held bool, urls ...string) {
	u.t.Helper()
	image, err := mutate.Append(u.image, mutate.Addendum{Layer: static.NewLayer(layer, mediaType), URLs: urls, MediaType: mediaType})
	u.check(err)
	if strings.HasPrefix(string(mediaType), "application/vnd.docker") {
		image = mutate.MediaType(image, types.DockerManifestSchema2)
	}
	ref, err := name.ParseReference(u.addr+"/wire/brig:"+tag, name.Insecure)
	u.check(err)
	var options []remote.Option
	if held {
		options = append(options, remote.WithNondistributable)
	}
	u.check(remote.Write(ref, image, options...))
}

// retype gives the layer of an image another media type, as whoever pushes a manifest can.
func (u *upstream) retype(tag string, was types.MediaType, is string) {
	u.t.Helper()
	at := "http://" + u.addr + "/v2/wire/brig/manifests/" + tag
	answer, err := http.Get(at)
	u.check(err)
	data, err := io.ReadAll(answer.Body)
	u.check(errors.Join(err, answer.Body.Close()))
	quoted, err := json.Marshal(is)
	u.check(err)
	data = bytes.ReplaceAll(data, []byte(`"`+string(was)+`"`), quoted)
	put, err := http.NewRequestWithContext(u.t.Context(), http.MethodPut, at, bytes.NewReader(data))
	u.check(err)
	put.Header.Set("Content-Type", answer.Header.Get("Content-Type"))
	answer, err = http.DefaultClient.Do(put)
	u.check(err)
	if u.check(answer.Body.Close()); answer.StatusCode != http.StatusCreated {
		u.t.Fatalf("registry answers %s", answer.Status)
	}
}

// notices keeps what is worth knowing.
type notices struct{ told []string }

func (*notices) Stage(string, int)    {}
func (*notices) Step(string)          {}
func (n *notices) Notice(text string) { n.told = append(n.told, text) }

// resolveForeign resolves one image, and opens all blobs of the lock in the same world, of
// a user who named some hosts besides.
func (u *upstream) resolveForeign(tag string, named ...string) (*manifests.Lock, error) {
	u.t.Helper()
	u.write("release.yaml", "apiVersion: island/v1\nkind: Release\nmetadata: {name: wire, version: 1.0.0, date: 2026-03-31}\n"+
		"platforms: [linux/amd64]\nimages: [{name: 'quay.io/wire/brig:"+tag+"'}]\n")
	assembled, err := resolve.Assemble(resolve.Input{File: filepath.Join(u.folder, "release.yaml")})
	u.check(err)
	mirrors, err := source.ParseMirrors("mirrors.yaml", []byte("apiVersion: island/v1\nkind: Mirrors\n"+
		"rules: [{prefix: quay.io, onlyMirrors: true, mirrors: [{location: \""+u.addr+"\", insecure: true}]}]\n"))
	u.check(err)
	world, err := source.New(source.Options{
		Mirrors: mirrors, CacheDir: u.t.TempDir(), Secrets: assembled.Secrets, Network: registry.Options{Keychain: everywhere{}, Named: named},
	})
	u.check(err)
	defer world.Close()
	lock, err := resolve.Resolve(context.Background(), assembled, world, resolve.Options{Progress: &u.notices})
	if err != nil {
		return nil, err
	}
	for _, blob := range lock.Blobs {
		reader, err := resolve.Source{World: world, BaseDir: u.folder}.Open(context.Background(), blob, 0)
		if err != nil {
			return nil, fmt.Errorf("building: %w", err)
		}
		data, err := io.ReadAll(reader)
		if u.check(errors.Join(err, reader.Close())); manifests.DigestOf(data) != blob.Digest {
			return nil, fmt.Errorf("building: blob %s is something else", blob.Digest)
		}
	}
	return lock, nil
}

// TestForeignLayers resolves images with layers that their registry need not hold, and
// makes sure that what is locked can be fetched.
func TestForeignLayers(t *testing.T) {
	t.Parallel()
	const docker, oci = types.DockerForeignLayer, types.OCIRestrictedLayer
	for tag, test := range map[string]struct {
		mediaType types.MediaType
		held      bool
		urls      []string
		locked    string // URL without the vendor's; "registry" for that
		refused   string
	}{
		"docker":         {docker, false, []string{"/layer"}, "/layer", ""},
		"oci":            {oci, false, []string{"/layer.tar.gz"}, "/layer.tar.gz", ""},
		"uncompressed":   {types.OCIUncompressedRestrictedLayer, false, []string{"/layer"}, "/layer", ""},
		"second":         {docker, false, []string{"/gone", "/layer"}, "/layer", ""},
		"after-another":  {oci, false, []string{"/other", "/longer", "ftp://h/x", "/layer"}, "/layer", ""},
		"redirect":       {oci, false, []string{"/moved"}, "/moved", ""},
		"signed":         {docker, false, []string{"/signed?ref=1&sig=hunter2"}, "/signed?ref=1", ""},
		"held":           {docker, true, []string{"/gone"}, "registry", ""},
		"held-by-urls":   {oci, true, []string{"/layer"}, "registry", ""},
		"usual-type":     {types.OCILayer, true, []string{"/layer"}, "registry", ""},
		"gone":           {docker, false, []string{"/gone"}, "", "404 Not Found"},
		"no-urls":        {oci, false, nil, "", "404 Not Found"},
		"too-many":       {oci, false, append(slices.Repeat([]string{"/gone"}, 8), "/layer"), "", "1 of its URLs not asked"},
		"other-content":  {docker, false, []string{"/other"}, "", "what is there has another digest"},
		"longer":         {oci, false, []string{"/longer"}, "", "bytes"},
		"other-schemes":  {docker, false, []string{"file:///etc/passwd", "ftp://h/x", "layer"}, "", "is no http or https URL"},
		"user-and-gone":  {oci, false, []string{"http://me:hunter2@VENDOR/gone?sig=hunter2"}, "", "404 Not Found"},
		"user-of-a-file": {oci, false, []string{"http://you:swordfish@VENDOR/layer"}, "/layer", ""},
	} {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			u, v := newUpstream(t), newVendor(t, "layer of "+tag)
			var urls []string
			for _, url := range test.urls {
				if strings.HasPrefix(url, "/") {
					url = v.url + url
				}
				urls = append(urls, strings.ReplaceAll(url, "VENDOR", strings.TrimPrefix(v.url, "http://")))
			}
			u.pushForeign(tag, test.mediaType, v.layer, test.held, urls...)
			lock, err := u.resolveForeign(tag, strings.TrimPrefix(v.url, "http://"))
			if test.refused != "" {
				checkRefused(t, err, test.refused)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkForeign(t, lock, v, test.locked)
			told, secret := strings.Join(u.notices.told, "\n"), tag == "signed" || tag == "user-of-a-file"
			if strings.Contains(told, "holds what may be a secret") != secret || strings.Contains(told, "hunter2") {
				t.Errorf("told %s", told)
			}
			for _, said := range v.told {
				if said != "" && tag != "user-of-a-file" {
					t.Errorf("the vendor was told %q", said)
				}
			}
		})
	}
}

// TestTypesOfForeignLayers has manifests say of a layer every type by which another part
// of a release is told: a place that the user did not name is not asked for it, and one
// that the user named is not told a password.
func TestTypesOfForeignLayers(t *testing.T) {
	t.Parallel()
	const chart = manifests.ChartMediaType
	for name, test := range map[string]struct {
		mediaType string
		asked     bool // where the user named the host
	}{
		"layer": {string(types.OCIRestrictedLayer), true}, "none": {"", false}, "chart": {chart, false},
		"capitals": {strings.ToUpper(chart), true}, "parameter": {chart + "; charset=utf-8", true}, "blank behind": {chart + " ", true},
		"blank before": {" " + chart, true}, "blank": {" ", true}, "newline": {chart + "\n", true}, "older chart": {"application/tar+gzip", true},
		"file": {"application/octet-stream", true}, "configuration": {string(types.OCIConfigJSON), true},
		"manifest": {manifests.OCIManifest, true}, // and refused
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, v := newUpstream(t), newVendor(t, "layer of type "+name)
			u.pushForeign("a", types.OCIRestrictedLayer, v.layer, false, v.url+"/layer")
			u.retype("a", types.OCIRestrictedLayer, test.mediaType)
			_, err := u.resolveForeign("a")
			if err == nil || len(v.asked) > 0 {
				t.Errorf("a place that nobody named: %v, asked for %q", err, v.asked)
			}
			lock, err := u.resolveForeign("a", strings.TrimPrefix(v.url, "http://"))
			if (len(v.asked) > 0) != test.asked || strings.Join(v.told, "") != "" {
				t.Errorf("%v; the vendor was asked for %q and told %q", err, v.asked, v.told)
			}
			if test.asked && err == nil {
				checkForeign(t, lock, v, "/layer")
			} else if err == nil {
				t.Error("locked all the same")
			}
		})
	}
}

func checkRefused(t *testing.T, err error, says string) {
	t.Helper()
	explained := (*fault.Error)(nil)
	if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "neither from the registry nor by URL") ||
		strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "building") {
		t.Errorf("error is %v, wanted %q", err, says)
	} else if !errors.As(err, &explained) || explained.Hint == "" {
		t.Errorf("error without a hint: %v", err)
	}
}

// checkForeign checks where a lock has the vendor's layer from.
func checkForeign(t *testing.T, lock *manifests.Lock, v *vendor, locked string) {
	t.Helper()
	for _, blob := range lock.Blobs {
		switch {
		case blob.Digest != manifests.DigestOf(v.layer):
			continue
		case locked == "registry" && (blob.Repository != "quay.io/wire/brig" || lock.Format != 0 || len(v.asked) > 0):
			t.Errorf("layer is %+v, format %d; the vendor was asked for %q", blob, lock.Format, v.asked)
		case locked != "registry" && (blob.URL != v.url+locked || blob.Repository != "" || lock.Format != 2):
			t.Errorf("layer is %+v, format %d", blob, lock.Format)
		}
		return
	}
	t.Error("the layer is not in the lock")
}

// TestForeignLayersOfTwoImages holds that what one registry has is not taken by URL,
// whichever image is ready first.
func TestForeignLayersOfTwoImages(t *testing.T) {
	t.Parallel()
	u, v := newUpstream(t), newVendor(t, "layer of two")
	other, err := mutate.Append(u.image, mutate.Addendum{Layer: static.NewLayer(v.layer, types.OCILayer)})
	u.check(err)
	ref, err := name.ParseReference(u.addr+"/wire/galley:1", name.Insecure)
	u.check(err)
	u.check(remote.Write(ref, other))
	var image v1.Image
	image, err = mutate.Append(u.image, mutate.Addendum{
		Layer: static.NewLayer(v.layer, types.OCIRestrictedLayer), URLs: []string{v.url + "/layer"}, MediaType: types.OCIRestrictedLayer,
	})
	u.check(err)
	u.push("2", image)
	for range 4 {
		lock, err := u.lock("images: [{name: 'quay.io/wire/brig:2'}, {name: 'quay.io/wire/galley:1'}]")
		u.check(err)
		for _, blob := range lock.Blobs {
			if blob.Digest == manifests.DigestOf(v.layer) && blob.Repository != "quay.io/wire/brig" && blob.Repository != "quay.io/wire/galley" {
				t.Errorf("layer is %+v", blob)
			}
		}
	}
}
