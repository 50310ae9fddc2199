package manifests

import (
	"strings"
	"testing"
)

// TestBareURL checks that what may be a secret is taken off a URL, and what names
// content stays. Secrets hold the word hunter2.
func TestBareURL(t *testing.T) {
	t.Parallel()
	for full, bare := range map[string]string{
		"https://charts.example.com/s":                                              "https://charts.example.com/s",
		"https://me:hunter2@charts.example.com/s":                                   "https://charts.example.com/s",
		"https://hunter2@charts.example.com:8443":                                   "https://charts.example.com:8443",
		"https://me:hunter2%40x@[::1]:80/a@b":                                       "https://[::1]:80/a@b",
		"oci://me:hunter2@ghcr.io/x":                                                "oci://ghcr.io/x",
		"HTTPS://me:hunter2@h/x":                                                    "HTTPS://h/x",
		"https://git.example.com/p/helm/stable?private_token=hunter2":               "https://git.example.com/p/helm/stable",
		"https://git.example.com/raw/f?ref=main&job_token=hunter2&inline=false":     "https://git.example.com/raw/f?ref=main&inline=false",
		"https://b.s3.amazonaws.com/k?X-Amz-Date=1&X-Amz-Signature=hunter2#hunter2": "https://b.s3.amazonaws.com/k",
		"https://a.blob.core.windows.net/c/f?sv=2022&sr=b&sig=hunter2%3D&se=2030":   "https://a.blob.core.windows.net/c/f",
		"https://h/f?hunter2":                                                       "https://h/f",
		"https://h/f?raw&hunter2=1":                                                 "https://h/f?raw",
		"https://h/f?raw=1;token=hunter2":                                           "https://h/f",
		"https://h/f?%72%61w=hunter2":                                               "https://h/f",
		"https://h/f?name=a.tgz&version=1":                                          "https://h/f?name=a.tgz&version=1",
		"https://me:hun/ter2@h/x":                                                   "https://",
		"https://me:hunter2%zz@h/x":                                                 "https://",
		"https://h:hunter2/x":                                                       "https://",
		"values/a?b=c":                                                              "values/a?b=c",
		"file:///srv/a?b":                                                           "file:///srv/a?b",
		"wire-develop":                                                              "wire-develop",
		"":                                                                          "",
	} {
		if got := BareURL(full); got != bare {
			t.Errorf("%s is %s without secrets, wanted %s", full, got, bare)
		}
		if got := BareURL(bare); got != bare {
			t.Errorf("%s changes to %s", bare, got)
		}
		if text := RedactURLs("get " + full + ": no"); strings.Contains(full, "://") && strings.Contains(text, "unter2") {
			t.Errorf("redacted: %s", text)
		}
	}
}

// TestBareName checks names that have no scheme, or one that nothing is fetched by.
func TestBareName(t *testing.T) {
	t.Parallel()
	digest := "@sha256:" + strings.Repeat("0", 64)
	for full, bare := range map[string]string{
		"https://me:hunter2@h/x?ref=main&token=hunter2": "https://h/x?ref=main",
		"git+https://me:hunter2@h/x?token=hunter2":      "git+https://h/x",
		"me:hunter2@quay.io/x:1":                        "quay.io/x:1",
		"me:hunter2@quay.io:5000/x" + digest:            "quay.io:5000/x" + digest,
		"me:hun/ter2@quay.io/x":                         "…",
		"//me:hunter2@quay.io/x?sig=hunter2":            "quay.io/x",
		"quay.io/x:1?token=hunter2":                     "quay.io/x:1",
		"localhost:5000/x:1" + digest:                   "localhost:5000/x:1" + digest,
		"git@git.example.com:ops/charts":                "git@git.example.com:ops/charts",
		"{{ .Values.image }}":                           "{{ .Values.image }}",
		"stable":                                        "stable",
		"":                                              "",
	} {
		if got := BareName(full); got != bare {
			t.Errorf("%s is %s without secrets, wanted %s", full, got, bare)
		}
	}
}

// FuzzBareURL holds that nothing of a secret is left, and that it is stable.
func FuzzBareURL(f *testing.F) {
	f.Add("me", "hunter2", "charts.example.com/x", "private_token", "glpat")
	f.Fuzz(func(t *testing.T, user, password, rest, name, value string) {
		full := "https://" + user + ":" + password + "@" + rest + "?" + name + "=" + value
		bare := BareURL(full)
		if again := BareURL(bare); again != bare {
			t.Errorf("%q becomes %q and then %q", full, bare, again)
		}
	})
}
