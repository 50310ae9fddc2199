package charts

import (
	"slices"
	"testing"
)

func TestReferencesInText(t *testing.T) {
	t.Parallel()
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	tests := []struct {
		text string
		want []string
	}{
		{"run quay.io/a/b:1 now", []string{"quay.io/a/b:1"}},
		{"docker://quay.io/a/b:1", []string{"quay.io/a/b:1"}},
		{"a=quay.io/a/b:1,b=quay.io/a/c@" + digest, []string{"quay.io/a/b:1", "quay.io/a/c@" + digest}},
		{"quay.io/a/b:1@" + digest, []string{"quay.io/a/b:1@" + digest}},
		{"localhost:5000/a:1 registry:5000/b/c:2", []string{"localhost:5000/a:1", "registry:5000/b/c:2"}},
		{"see quay.io/a/b:1.", []string{"quay.io/a/b:1"}},
		{"quay.io/a/b:1 and quay.io/a/b:1", []string{"quay.io/a/b:1"}},
		{"https://api.example.com/v1:8080/x", nil},
		{"http://api.example.com/cache:1", nil},
		{"app.kubernetes.io/name:x rbac.authorization.k8s.io/v1:y", nil},
		{"registry.k8s.io/pause:3.9", []string{"registry.k8s.io/pause:3.9"}},
		{"user@quay.io/a:1 github.com/a/b:v1 quay.io/a/b busybox:1", nil},
		{"quay.io/a/b:${TAG} quay.io/a/b:v%s", nil},
	}
	for _, test := range tests {
		if got := references(test.text); !slices.Equal(got, test.want) {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
	}
}

func TestImageNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"image": true, "serverImage": true, "--acme-http01-solver-image": true, "RELATED_IMAGE_PROXY": true, "HELPER_IMAGE": true,
		"POSTGRES_IMAGE_NAME": true, "STRIMZI_KAFKA_IMAGES": true, "sidecar.istio.io/proxyImage": true,
		"imagePullPolicy": false, "IMAGE_REGISTRY": false, "image-gc-threshold": false, "tag": false, "": false, "imageTag": false,
	} {
		if got := isImageName(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

func FuzzReferences(f *testing.F) {
	for _, seed := range []string{"quay.io/a/b:1", "a.b/c@sha256:", "localhost:5000/x:y", "https://a.b/c:1", "a..b/c:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, reference := range references(text) {
			if !isReference(reference) {
				t.Errorf("%q in %q is no reference", reference, text)
			}
		}
	})
}
