package resolve

import (
	"errors"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/internal/jsonweight"
	"github.com/islandbundle/island/manifests"
)

// TestConfigurationsAreReadInOneWay: an image has one platform, whoever asks.
func TestConfigurationsAreReadInOneWay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"os": "linux", "architecture": "arm64", "variant": "v8", "config": {"Env": ["A=1"], "Labels": {"a": "1", "A": "2"}}}`: "",
		`{"os": "linux", "os": "windows", "architecture": "arm64"}`:                                                             "os",
		`{"OS": "windows", "os": "linux", "architecture": "arm64"}`:                                                             "OS",
		`{"os": "linux", "architecture": "amd64", "Architecture": "arm64"}`:                                                     "Architecture",
		`{"os": "linux", "architecture": "arm", "variant": "v6", "VARIANT": "v7"}`:                                              "VARIANT",
	} {
		platform, err := platformIn([]byte(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || want == "" && platform.Architecture != "arm64" {
			t.Errorf("%s: %v, %v", text, platform, err)
		}
	}
	if platform, err := platformIn([]byte(`{"Os": 1}`)); platform != nil || err != nil {
		t.Errorf("what is no image's has %v, %v", platform, err)
	}
}

// TestConfigurationsAreWeighed: what is read of one takes no more memory than its bytes
// allow, and one that would is told as such, not as no image's.
func TestConfigurationsAreWeighed(t *testing.T) {
	t.Parallel()
	for _, element := range []string{`"",`, `"a",`} {
		text := `{"os": "windows", "architecture": "amd64", "os.features": [` + strings.Repeat(element, 100_000) + `""]}`
		if platform, err := platformIn([]byte(text)); platform != nil || !errors.Is(err, jsonweight.ErrTooHeavy) {
			t.Errorf("%s: error is %v", element, err)
		}
	}
	usual := `{"os": "windows", "architecture": "amd64", "os.features": ["win32k"], "history": [` + strings.Repeat("{},", 100_000) + `{}]}`
	if platform, err := platformIn([]byte(usual)); err != nil || len(platform.OSFeatures) != 1 {
		t.Errorf("a long history: %v, %v", platform, err)
	}
}

// TestSignedNamesAreReadInOneWay: what cosign has signed names one image.
func TestSignedNamesAreReadInOneWay(t *testing.T) {
	t.Parallel()
	image := manifests.DigestOf([]byte("a"))
	good := `{"critical": {"image": {"docker-manifest-digest": "` + string(image) + `"}, "type": "` +
		simpleSigningType + `"}, "optional": {"a": 1, "A": 2}}`
	if err := names([]byte(good), image); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`{"docker`, `{"docker-manifest-digest": "other", "docker`}, {`{"docker`, `{"Docker-Manifest-Digest": "other", "docker`},
		{`{"critical"`, `{"Critical": {}, "critical"`}, {`"optional"`, `"critical": {"x": 1}, "optional"`}, {`}}`, `}} {}`},
	} {
		if err := names([]byte(strings.Replace(good, change[0], change[1], 1)), image); err == nil {
			t.Errorf("%s was taken", change[1])
		}
	}
}

// TestReferrersAreReadInOneWay: a list names the same artifacts to all.
func TestReferrersAreReadInOneWay(t *testing.T) {
	t.Parallel()
	by := manifests.ImageRef{Registry: "quay.io", Repository: "a/b", Digest: manifests.DigestOf([]byte("a"))}
	for _, text := range []string{
		`{"manifests": [], "manifests": []}`, `{"Manifests": [], "manifests": []}`, `{"manifests": [{"digest": "a", "Digest": "b"}]}`,
		`{"manifests": [{"artifactType": "a", "artifacttype": "b"}]}`, `{"manifests": [], "layers": []}`,
	} {
		if _, err := new(resolver).referrers(t.Context(), by, source.Manifest{Bytes: []byte(text)}); err == nil ||
			!strings.Contains(err.Error(), "list of referrers is not readable") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := new(resolver).referrers(t.Context(), by, source.Manifest{Bytes: []byte(`{"manifests": []}`)}); err != nil {
		t.Error(err)
	}
}
