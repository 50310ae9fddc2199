package resolve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// shelf is a registry with one repository, quay.io/wire/brig, of whatever is put
// into it.
type shelf struct {
	content map[manifests.Digest][]byte
	types   map[manifests.Digest]string
	tags    map[string]manifests.Digest
}

func newShelf() *shelf {
	return &shelf{content: map[manifests.Digest][]byte{}, types: map[manifests.Digest]string{}, tags: map[string]manifests.Digest{}}
}

func (s *shelf) Chart(context.Context, string, string, string) (source.Chart, error) {
	return source.Chart{}, errors.New("no charts here")
}

func (s *shelf) Manifest(_ context.Context, ref manifests.ImageRef) (source.Manifest, error) {
	digest := ref.Digest
	if digest == "" {
		digest = s.tags[ref.Tag]
	}
	data, ok := s.content[digest]
	if !ok {
		return source.Manifest{}, fmt.Errorf("%s is %w", ref, source.ErrNotFound)
	}
	return source.Manifest{Bytes: data, MediaType: s.types[digest], Digest: digest, Repository: ref.Name()}, nil
}

func (s *shelf) Referrers(context.Context, manifests.ImageRef) (source.Manifest, error) {
	return source.Manifest{}, source.ErrNotFound
}

func (s *shelf) Stat(context.Context, string) (int64, error) { return 0, errors.New("no files here") }

func (s *shelf) Open(_ context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	data, ok := s.content[content.Digest]
	if !ok {
		return nil, source.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(data[offset:])), nil
}

type object = map[string]any

// put keeps content and describes it.
func (s *shelf) put(mediaType string, content any) object {
	data, ok := content.([]byte)
	if !ok {
		var err error
		if data, err = json.Marshal(content); err != nil {
			panic(err)
		}
	}
	digest := manifests.DigestOf(data)
	s.content[digest], s.types[digest] = data, mediaType
	return object{"mediaType": mediaType, "digest": digest, "size": len(data)}
}

// image makes an image with one layer whose configuration says a platform.
func (s *shelf) image(platform, text string) object {
	config := object{"note": text}
	for key, value := range platformOf(platform) {
		config[key] = value
	}
	layer := s.put("application/vnd.oci.image.layer.v1.tar", []byte(text))
	return s.put(manifests.OCIManifest, object{
		"schemaVersion": 2, "config": s.put(manifests.OCIConfig, config), "layers": []object{layer},
	})
}

// model makes what has the configuration of an image, and layers of another type.
func (s *shelf) model(platform, kind string) object {
	return s.put(manifests.OCIManifest, object{
		"schemaVersion": 2, "config": s.put(manifests.OCIConfig, platformOf(platform)),
		"layers": []object{s.put(kind, []byte(kind)), s.put("text/plain", []byte("licence"))},
	})
}

// artifact makes what is no image, with an empty file.
func (s *shelf) artifact(kind string) object {
	return s.put(manifests.OCIManifest, object{
		"schemaVersion": 2, "artifactType": kind, "config": s.put("application/vnd.oci.empty.v1+json", []byte("{}")),
		"layers": []object{s.put("text/plain", []byte(kind)), s.put("text/plain", []byte{})},
	})
}

func (s *shelf) index(entries ...object) object {
	return s.put(manifests.OCIIndex, object{"schemaVersion": 2, "manifests": entries})
}

// of is an entry of an index for a platform, with an image for it.
func (s *shelf) of(platform, text string) object {
	config, _, _ := strings.Cut(platform, ":")
	return s.at(platform, config, text)
}

// at is an entry with an image whose configuration says another platform.
func (s *shelf) at(platform, config, text string) object { return at(platform, s.image(config, text)) }

// at is an entry of an index for a platform, with further members.
func at(platform string, described object, more ...any) object {
	entry := object{"platform": platformOf(platform)}
	for key, value := range described {
		entry[key] = value
	}
	for i := 0; i < len(more); i += 2 {
		if more[i] == "os.features" {
			entry["platform"].(object)["os.features"] = more[i+1]
			continue
		}
		entry[more[i].(string)] = more[i+1]
	}
	return entry
}

func platformOf(text string) object {
	text, version, _ := strings.Cut(text, ":")
	parts := append(strings.Split(text, "/"), "")
	p := object{"os": parts[0], "architecture": parts[1]}
	if parts[2] != "" {
		p["variant"] = parts[2]
	}
	if version != "" {
		p["os.version"] = version
	}
	return p
}

// resolve resolves a release of one image that has the tag 1, of which the release
// says some more, as it does at its end.
func (s *shelf) resolve(t *testing.T, platforms string, top object, more string, end ...string) (*manifests.Lock, error) {
	t.Helper()
	s.tags["1"] = top["digest"].(manifests.Digest)
	file := filepath.Join(t.TempDir(), "release.yaml")
	text := "apiVersion: island/v1\nkind: Release\nmetadata: {name: wire, version: 1.0.0, date: 2026-03-31}\nplatforms: [" + platforms +
		"]\nimages: [{name: \"quay.io/wire/brig:1\"" + more + "}]\n" + strings.Join(end, "")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	assembled, err := resolve.Assemble(resolve.Input{File: file})
	if err != nil {
		return nil, err
	}
	return resolve.Resolve(t.Context(), assembled, s, resolve.Options{})
}

// carried lists what a lock carries of its image: the platform of each manifest,
// and what its first layer is.
func (s *shelf) carried(lock *manifests.Lock) string {
	var list []string
	for _, m := range lock.Images[0].Manifests {
		list = append(list, m.For()+"="+string(s.content[m.Layers[0]]))
	}
	return strings.Join(list, " ")
}

func TestWhatIsCarriedOfAnIndex(t *testing.T) {
	t.Parallel()
	const soci = "application/vnd.amazon.soci.index.v2+json"
	for _, test := range []struct {
		name, platforms string
		index           func(s *shelf) object
		want            string // platform=image; an error has no =
		format          int
	}{
		{"the usual one", "linux/amd64", func(s *shelf) object {
			return s.index(s.of("linux/386", "a"), s.of("linux/amd64", "b"),
				s.at("linux/arm/v7", "linux/arm", "c"), s.of("unknown/unknown", "d"))
		}, "linux/amd64=b", 1},
		{"two platforms, in the order of the release", "linux/arm64, linux/amd64", func(s *shelf) object {
			return s.index(s.of("linux/amd64", "a"), s.at("linux/arm64/v8", "linux/arm64", "b"))
		}, "linux/arm64=b linux/amd64=a", 1},
		{"one image for two platforms", "linux/arm64, linux/amd64", func(s *shelf) object {
			return s.index(s.of("linux/amd64", "a"), s.at("linux/arm64", "linux/amd64", "a"))
		}, "linux/arm64=a linux/amd64=a", 1},
		{"newer variant first", "linux/amd64", func(s *shelf) object {
			return s.index(s.at("linux/amd64/v3", "linux/amd64", "a"), s.of("linux/amd64", "b"))
		}, "linux/amd64=b", 2},
		{"newer variant last", "linux/amd64", func(s *shelf) object {
			return s.index(s.at("linux/amd64/v1", "linux/amd64", "a"), s.at("linux/amd64/v2", "linux/amd64", "b"))
		}, "linux/amd64=a", 1},
		{"newer variants alone", "linux/amd64", func(s *shelf) object {
			return s.index(s.at("linux/amd64/v2", "linux/amd64", "a"), s.at("linux/amd64/v3", "linux/amd64", "b"))
		}, "index has no image for linux/amd64; it has linux/amd64/v2, linux/amd64/v3|platforms: [linux/amd64/v2]", 0},
		{"a variant that is wanted", "linux/amd64/v3", func(s *shelf) object {
			return s.index(s.of("linux/amd64", "a"), s.at("linux/amd64/v2", "linux/amd64", "b"),
				s.at("linux/amd64/v4", "linux/amd64", "c"))
		}, "linux/amd64/v2=b", 2},
		{"an older variant than is wanted", "linux/amd64/v2, linux/arm64", func(s *shelf) object {
			return s.index(s.of("linux/amd64", "a"), s.of("linux/arm64", "b"))
		}, "linux/amd64=a linux/arm64=b", 2},
		{"arm is arm/v7, and else older", "linux/arm", func(s *shelf) object {
			return s.index(s.at("linux/arm/v5", "linux/arm", "a"), s.at("linux/arm/v7", "linux/arm", "b"))
		}, "linux/arm=b", 2},
		{"arm of v6", "linux/arm/v7", func(s *shelf) object {
			return s.index(s.at("linux/arm/v5", "linux/arm", "a"), s.at("linux/arm/v6", "linux/arm", "b"))
		}, "linux/arm/v6=b", 2},
		{"names as others spell them", "linux/arm64", func(s *shelf) object {
			return s.index(s.at("linux/aarch64", "linux/arm64", "a"))
		}, "linux/arm64=a", 2},
		{"the platform twice, one with features", "linux/amd64", func(s *shelf) object {
			return s.index(at("linux/amd64", s.image("linux/amd64", "a"), "os.features", []string{"sse4"}),
				s.of("linux/amd64", "b"))
		}, "linux/amd64=b linux/amd64=a", 2},
		{"the same entry twice", "linux/amd64", func(s *shelf) object {
			return s.index(s.of("linux/amd64", "a"), s.of("linux/amd64", "a"))
		}, "linux/amd64=a", 1},
		{"an artifact for the platform", "linux/amd64", func(s *shelf) object {
			return s.index(at("linux/amd64", s.artifact(soci), "artifactType", soci), s.of("linux/amd64", "a"))
		}, "linux/amd64=a artifact=" + soci, 2},
		{"an artifact that only its own manifest tells", "linux/amd64", func(s *shelf) object {
			return s.index(at("linux/amd64", s.artifact("application/x")), s.of("linux/amd64", "a"))
		}, "linux/amd64=a artifact=application/x", 2},
		{"an image that is said to be of the type of an image", "linux/amd64", func(s *shelf) object {
			return s.index(at("linux/amd64", s.image("linux/amd64", "a"), "artifactType", manifests.OCIConfig))
		}, "linux/amd64=a", 1},
		{"an image that another entry calls an artifact", "linux/amd64", func(s *shelf) object {
			return s.index(at("linux/amd64", s.image("linux/amd64", "a"), "artifactType", soci), s.of("linux/amd64", "a"))
		}, "linux/amd64=a", 1},
		{"all versions of Windows", "windows/amd64", func(s *shelf) object {
			return s.index(s.of("windows/amd64:10.0.17763.1", "a"), s.of("windows/amd64:10.0.20348.1", "b"))
		}, "windows/amd64:10.0.17763.1=a windows/amd64:10.0.20348.1=b", 2},
		{"one version of Windows", "windows/amd64", func(s *shelf) object {
			return s.index(s.of("windows/amd64:10.0.20348.1", "a"), s.of("linux/amd64", "b"))
		}, "windows/amd64=a", 1},
		{"a version of Windows", "windows/amd64:10.0.20348.2", func(s *shelf) object {
			return s.index(s.of("windows/amd64:10.0.17763.1", "a"), s.of("windows/amd64:10.0.20348.1", "b"),
				s.of("windows/amd64:10.0.20348.2", "c"), s.of("windows/amd64:10.0.26100.1", "d"))
		}, "windows/amd64:10.0.20348.2=c windows/amd64:10.0.20348.1=b", 2},
		{"builds that Server 2025 runs", "windows/amd64:10.0.26100", func(s *shelf) object {
			return s.index(s.of("windows/amd64:10.0.17763.1", "a"), s.of("windows/amd64:10.0.20348.1", "b"))
		}, "windows/amd64:10.0.20348.1=b", 2},
		{"a version of Windows that there is none of", "windows/amd64:10.0.17763.9", func(s *shelf) object {
			return s.index(s.of("windows/amd64:10.0.20348.1", "b"))
		}, "it has windows/amd64:10.0.20348.1|platforms: [windows/amd64:10.0.20348.1]", 0},
		{"versions of Windows that are none", "windows/amd64", func(s *shelf) object {
			return s.index(s.of("windows/amd64:ltsc2019", "a"), s.of("windows/amd64:ltsc2022", "b"))
		}, "windows/amd64=a windows/amd64=b", 2},
		{"no platform said", "linux/amd64", func(s *shelf) object { return s.index(s.image("linux/amd64", "a")) }, "linux/amd64=a", 2},
		{"no platform said, twice", "linux/arm64", func(s *shelf) object {
			return s.index(s.image("linux/amd64", "a"), s.image("linux/arm64/v8", "b"))
		}, "linux/arm64=b linux/amd64=a", 2},
		{"no platform said of another", "linux/arm64", func(s *shelf) object { return s.index(s.image("linux/amd64", "a")) },
			"index has no image for linux/arm64; it has linux/amd64", 0},
		{"said and not said", "linux/amd64", func(s *shelf) object {
			return s.index(s.image("linux/amd64", "a"), s.of("linux/amd64", "b"))
		}, "linux/amd64=b linux/amd64=a", 2},
		{"an index in the index", "linux/amd64", func(s *shelf) object {
			inner := s.index(s.of("linux/386", "a"), s.of("linux/amd64", "b"))
			return s.index(at("linux/amd64", inner), at("linux/arm64", s.index(s.of("linux/arm64", "c"))))
		}, "linux/amd64=b", 2},
		{"an index in the index for no platform, twice", "linux/s390x, linux/amd64", func(s *shelf) object {
			inner := s.index(s.of("linux/s390x", "a"), s.image("linux/amd64", "b"))
			return s.index(inner, inner)
		}, "linux/s390x=a linux/amd64=b", 2},
		{"an entry of no known type", "linux/amd64", func(s *shelf) object {
			return s.index(at("linux/amd64", s.put("application/vnd.example", []byte("x"))), s.of("linux/amd64", "a"))
		}, "linux/amd64=a", 2},
		{"an entry of no type alone", "linux/amd64", func(s *shelf) object {
			return s.index(at("linux/amd64", s.image("linux/amd64", "a"), "mediaType", nil), s.of("linux/arm64", "b"))
		}, `for linux/amd64 the type "", which is neither|containerd cannot pull it either`, 0},
		{"a platform that says nothing", "linux/amd64", func(s *shelf) object {
			return s.index(at("/", s.image("linux/amd64", "a")), s.of("linux/arm64", "b"))
		}, "index has no image for linux/amd64; it has linux/arm64", 0},
		{"a model for the platform", "linux/amd64", func(s *shelf) object {
			return s.index(at("linux/amd64", s.model("linux/amd64", "application/vnd.ollama.image.model")), s.of("linux/amd64", "a"))
		}, "linux/amd64=a artifact=application/vnd.ollama.image.model", 2},
		{"nothing", "linux/amd64", func(s *shelf) object { return s.index() },
			"index has no image for linux/amd64; it has none for any platform", 0},
		{"nothing but attestations", "linux/amd64", func(s *shelf) object {
			return s.index(s.of("unknown/unknown", "a"))
		}, "it has none for any platform", 0},
		{"very many", "linux/amd64", func(s *shelf) object {
			var entries []object
			for i := range 500 {
				entries = append(entries, at(fmt.Sprintf("linux/x%d", i), s.image("linux/x", "a")))
			}
			return s.index(entries...)
		}, "linux/x7 and 492 more", 0},
		{"an image without index", "linux/amd64", func(s *shelf) object { return s.image("linux/amd64", "a") }, "linux/amd64=a", 1},
		{"an image without index, of another variant", "linux/amd64", func(s *shelf) object { return s.image("linux/amd64/v3", "a") },
			"image is for linux/amd64/v3, the release wants linux/amd64|platforms: [linux/amd64/v3]", 0},
		{"an image without index, for one of two", "linux/amd64, linux/arm64", func(s *shelf) object { return s.image("linux/amd64", "a") },
			"image is for linux/amd64, the release wants linux/arm64", 0},
		{"an index that lies about a size", "linux/amd64", func(s *shelf) object {
			return s.index(at("linux/amd64", s.image("linux/amd64", "a"), "size", 7))
		}, "of 7 bytes, and it is", 0},
		{"an index that says no digest", "linux/amd64", func(s *shelf) object {
			return s.index(at("linux/amd64", s.image("linux/amd64", "a"), "digest", nil))
		}, "without digest", 0},
		{"an index that calls an index a manifest", "linux/amd64", func(s *shelf) object {
			return s.index(at("linux/amd64", s.index(), "mediaType", manifests.OCIManifest))
		}, "and it is application/vnd.oci.image.index", 0},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			s := newShelf()
			lock, err := s.resolve(t, test.platforms, test.index(s), "")
			if !strings.Contains(test.want, "=") {
				wantTold(t, err, test.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := s.carried(lock); got != test.want || lock.BundleFormat() != test.format {
				t.Errorf("carried %s in format %d, want %s in %d", got, lock.BundleFormat(), test.want, test.format)
			}
			for _, blob := range lock.Blobs {
				if int64(len(s.content[blob.Digest])) != blob.Size {
					t.Errorf("blob %s has not %d bytes", blob.Digest, blob.Size)
				}
			}
		})
	}
}

// wantTold demands an upstream error that says a text and, behind a |, has one in
// its hint.
func wantTold(t *testing.T, err error, want string) {
	t.Helper()
	text, hint, _ := strings.Cut(want, "|")
	var told *fault.Error
	if !errors.As(err, &told) || told.Side != fault.Upstream || !strings.Contains(err.Error(), text) || !strings.Contains(told.Hint, hint) {
		t.Errorf("told %v, want %q", err, want)
	}
}

// Indexes cannot name each other, since each has the digest of its text; a chain of
// them can still be long, and a tree of them wide.
func TestNestedIndexesAreBounded(t *testing.T) {
	t.Parallel()
	s := newShelf()
	chain := s.index(s.of("linux/amd64", "a"))
	for depth := 1; depth <= 9; depth++ {
		if lock, err := s.resolve(t, "linux/amd64", chain, ""); err != nil || len(lock.Images[0].Indexes) != depth-1 {
			t.Fatalf("%d indexes: %v", depth, err)
		}
		chain = s.index(at("linux/amd64", chain))
	}
	_, err := s.resolve(t, "linux/amd64", chain, "")
	wantTold(t, err, "nested deeper than 8")

	wide := []object{s.of("linux/amd64", "a")}
	for i := range 101 {
		wide = append(wide, s.index(at("linux/amd64", s.image("linux/amd64", fmt.Sprint(i)))))
	}
	if lock, err := s.resolve(t, "linux/amd64", s.index(wide[:101]...), ""); err != nil || len(lock.Images[0].Indexes) != 100 {
		t.Errorf("100 indexes: %v", err)
	}
	_, err = s.resolve(t, "linux/amd64", s.index(wide...), "")
	wantTold(t, err, "more than 100")

	var many []object
	for i := range 1001 {
		many = append(many, at("linux/amd64", s.image("linux/amd64", fmt.Sprint(i))))
	}
	_, err = s.resolve(t, "linux/amd64", s.index(many...), "")
	wantTold(t, err, "more than 1000 manifests")
}

func TestArtifactsAreCarriedBySayingSo(t *testing.T) {
	t.Parallel()
	helm := func(s *shelf) object {
		config := s.put("application/vnd.cncf.helm.config.v1+json", object{"name": "x"})
		return s.put(manifests.OCIManifest, object{"schemaVersion": 2, "config": config,
			"layers": []object{s.put("application/vnd.cncf.helm.chart.content.v1.tar+gzip", []byte("chart"))}})
	}
	for _, test := range []struct {
		name    string
		top     func(s *shelf) object
		refused string
		blobs   int
	}{
		{"a policy", func(s *shelf) object { return s.artifact("application/vnd.example.policy") }, "application/vnd.example.policy", 4},
		{"a chart", helm, "application/vnd.cncf.helm.config.v1+json", 3},
		{"one of no layers", func(s *shelf) object {
			config := s.put("application/vnd.oci.empty.v1+json", []byte("{}"))
			return s.put(manifests.OCIManifest, object{"schemaVersion": 2, "artifactType": "application/x", "config": config, "layers": []object{}})
		}, "application/x", 2},
		{"one with the configuration of an image that says nothing", func(s *shelf) object {
			return s.put(manifests.OCIManifest, object{"schemaVersion": 2, "config": s.put(manifests.OCIConfig, object{}),
				"layers": []object{s.put("application/wasm", []byte("wasm"))}})
		}, "application/wasm", 3},
		{"one with the layers of an image as well", func(s *shelf) object {
			return s.put(manifests.OCIManifest, object{"schemaVersion": 2, "config": s.put(manifests.OCIConfig, object{}),
				"layers": []object{s.put("application/vnd.oci.image.layer.v1.tar+zstd", []byte("layer"))}})
		}, manifests.OCIConfig, 3},
		{"a model that says a platform", func(s *shelf) object { return s.model("linux/amd64", "application/vnd.example.model") },
			"application/vnd.example.model", 4},
		{"a module with the configuration of an image", func(s *shelf) object { return s.model("wasip1/wasm", "application/wasm") },
			"application/wasm", 4},
		{"an index of them", func(s *shelf) object {
			return s.index(at("linux/amd64", s.artifact("application/a")), at("wasip1/wasm", s.artifact("application/b")),
				s.artifact("application/c"))
		}, "application/a", 9},
		{"an index for no platform of ours", func(s *shelf) object { return s.index(at("multi/amd64", s.artifact("application/vnd.zarf"))) },
			"index has no image for linux/amd64; it has multi/amd64", 5},
		{"an index of blobs", func(s *shelf) object { return s.index(s.put("application/vnd.example.cache", []byte("x"))) },
			"it has none for any platform", 2},
		{"an image for none of our platforms", func(s *shelf) object { return s.image("wasip1/wasm", "a") }, "image is for wasip1/wasm", 3},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			s := newShelf()
			_, err := s.resolve(t, "linux/amd64", test.top(s), "")
			wantTold(t, err, test.refused)
			if strings.HasPrefix(test.refused, "application/") {
				wantTold(t, err, "artifact|{name: quay.io/wire/brig:1, artifact: true}")
			}
			lock, err := s.resolve(t, "linux/amd64", test.top(s), ", artifact: true")
			if err != nil {
				t.Fatal(err)
			}
			if !lock.Images[0].Artifact || lock.Format != 2 || len(lock.Blobs) != test.blobs {
				t.Errorf("artifact %t, format %d, %d blobs, want %d", lock.Images[0].Artifact, lock.Format, len(lock.Blobs), test.blobs)
			}
			if _, runs := lock.Images[0].For(lock.Release.Platforms[0]); runs {
				t.Error("it is said to run")
			}
		})
	}
	for name, image := range map[string]func(s *shelf) object{
		"image": func(s *shelf) object { return s.image("linux/amd64", "a") },
		"index": func(s *shelf) object {
			return s.index(s.of("linux/arm64", "a"), s.of("linux/amd64", "a"))
		},
	} {
		s := newShelf()
		_, err := s.resolve(t, "linux/amd64", image(s), ", artifact: true")
		t.Log(name)
		wantTold(t, err, "it is an image for linux/amd64|leave artifact: true out")
	}
}

// What a registry does not have among its blobs is told at once, not when a bundle is built.
func TestArtifactOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	s := newShelf()
	gone := object{"mediaType": "application/vnd.oci.artifact.manifest.v1+json", "digest": manifests.DigestOf([]byte("x")), "size": 1}
	_, err := s.resolve(t, "linux/amd64", s.index(gone), ", artifact: true")
	wantTold(t, err, "application/vnd.oci.artifact.manifest.v1+json")
}

// Signatures of an index within the index, and of each manifest, are taken along.
func TestAttachmentsOfAllThatIsCarried(t *testing.T) {
	t.Parallel()
	s := newShelf()
	first, second := s.image("linux/amd64", "a"), s.image("linux/amd64", "b")
	inner := s.index(at("linux/amd64", second))
	for i, subject := range []object{first, second, inner} {
		s.tags["sha256-"+subject["digest"].(manifests.Digest).Hex()+".sig"] = s.artifact(fmt.Sprint("signature ", i))["digest"].(manifests.Digest)
	}
	lock, err := s.resolve(t, "linux/amd64", s.index(at("linux/amd64", first), inner), "", "attachments: {take: true}\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := lock.Images[0].Attachments; len(got) != 3 {
		t.Errorf("attachments: %v", got)
	}
}

func TestBlobsAreWhatIsSaidOfThem(t *testing.T) {
	t.Parallel()
	manifest := func(s *shelf, layers ...object) object {
		config := s.put(manifests.OCIConfig, platformOf("linux/amd64"))
		return s.put(manifests.OCIManifest, object{"schemaVersion": 2, "config": config, "layers": layers})
	}
	s := newShelf()
	layer, none := s.put("application/vnd.oci.image.layer.v1.tar", []byte("layer")), s.put("application/vnd.oci.image.layer.v1.tar", []byte{})
	lock, err := s.resolve(t, "linux/amd64", manifest(s, layer, none, layer, none), "")
	if err != nil {
		t.Fatal(err)
	}
	got := lock.Images[0].Manifests[0].Layers
	if len(got) != 4 || got[0] != got[2] || got[1] != manifests.EmptyDigest || len(lock.Blobs) != 4 || lock.Format != 2 {
		t.Errorf("layers %v, %d blobs, format %d", got, len(lock.Blobs), lock.Format)
	}
	if lock, err = s.resolve(t, "linux/amd64", manifest(s, layer, layer), ""); err != nil || lock.Format != 0 || len(lock.Blobs) != 3 {
		t.Errorf("one layer twice needs nothing new: %v", err)
	}
	lying := func(size any) object { return at("linux/amd64", layer, "size", size) }
	for name, layers := range map[string][]object{
		"no size": {lying(nil)}, "negative": {lying(-1)}, "empty and not": {at("linux/amd64", none, "size", 3)}, "two sizes": {layer, lying(6)},
	} {
		if _, err := s.resolve(t, "linux/amd64", manifest(s, layers...), ""); err == nil || !strings.Contains(err.Error(), "blob") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An entry that nobody loads is not lost without a word.
func TestEntriesOfUnknownTypesAreToldOf(t *testing.T) {
	t.Parallel()
	s := newShelf()
	unknown := s.put("application/vnd.example", []byte("x"))
	lock, err := s.resolve(t, "linux/amd64", s.index(unknown, s.of("linux/amd64", "a")), "")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(lock.LeftOut, func(o manifests.Omission) bool {
		return strings.Contains(o.What, string(unknown["digest"].(manifests.Digest))) && strings.Contains(o.Reason, "application/vnd.example")
	}) {
		t.Errorf("left out: %v", lock.LeftOut)
	}
}
