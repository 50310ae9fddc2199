package manifests

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const someHex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestParseDigest(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"sha256:" + someHex, string(DigestOf(nil)), string(DigestFromSum(make([]byte, 32)))} {
		if d, err := ParseDigest(good); err != nil || string(d) != good {
			t.Errorf("%s: %s, %v", good, d, err)
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "no algorithm": someHex, "upper case": "sha256:" + strings.ToUpper(someHex), "short": "sha256:" + someHex[1:],
		"long": "sha256:" + someHex + "0", "another algorithm": "sha512:" + someHex + someHex, "line break": "sha256:" + someHex + "\n",
		"letter beyond f": "sha256:g" + someHex[1:], "space": " sha256:" + someHex, "algorithm in capitals": "SHA256:" + someHex,
	} {
		if d, err := ParseDigest(bad); err == nil || d != "" {
			t.Errorf("%s: %q was taken for a digest", name, bad)
		}
	}
}

func TestDigestOfKnownContent(t *testing.T) {
	t.Parallel()
	d := DigestOf([]byte("abc")) // FIPS 180-2, appendix B.1
	if d != "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Error(d)
	}
	if d.Short() != "ba7816bf8f01" || Digest("").Short() != "" {
		t.Errorf("%s, %q", d.Short(), Digest("").Short())
	}
}

func TestParseImageRef(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"nginx:1.25":                         "docker.io/library/nginx:1.25",
		"bitnami/redis:7":                    "docker.io/bitnami/redis:7",
		"docker.io/nginx:1":                  "docker.io/library/nginx:1",
		"index.docker.io/library/nginx:1":    "docker.io/library/nginx:1",
		"quay.io/wire/brig:5.30.9":           "quay.io/wire/brig:5.30.9",
		"localhost/x:1":                      "localhost/x:1",
		"localhost:5000/a/b:1":               "localhost:5000/a/b:1",
		"[::1]:5000/a:1":                     "[::1]:5000/a:1",
		"a.io/b@sha256:" + someHex:           "a.io/b@sha256:" + someHex,
		"a.io/b:1@sha256:" + someHex:         "a.io/b:1@sha256:" + someHex,
		"registry.k8s.io/coredns/coredns:v1": "registry.k8s.io/coredns/coredns:v1",
	} {
		ref, err := ParseImageRef(in)
		if err != nil || ref.String() != want {
			t.Errorf("%s: %s, %v, want %s", in, ref, err, want)
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "capitals": "quay.io/Wire/brig:1", "url": "https://quay.io/wire/brig:1", "empty tag": "quay.io/wire/brig:",
		"space": "quay.io/wire/brig :1", "digest of another algorithm": "a.io/b@sha512:" + someHex + someHex, "short digest": "a.io/b@sha256:12",
		"only an id": someHex, "path upwards": "a.io/../b:1", "template": "{{ .Values.image }}", "long name": "a.io/" + strings.Repeat("b", 300) +
			":1",
		"long tag": "a.io/b:" + strings.Repeat("c", 129), "line break": "a.io/b:1\n", "NUL": "a.io/b:1\x00",
	} {
		if ref, err := ParseImageRef(bad); err == nil || errors.Is(err, ErrNoTag) || ref != (ImageRef{}) {
			t.Errorf("%s: %q was read as %q, %v", name, bad, ref, err)
		}
	}
	ref, err := ParseImageRef("quay.io/wire/zauth")
	if !errors.Is(err, ErrNoTag) || ref.Name() != "quay.io/wire/zauth" {
		t.Errorf("untagged: %v, %v", ref, err)
	}
}

func FuzzParseImageRef(f *testing.F) {
	for _, seed := range []string{"nginx", "nginx:1", "a.io:5000/b/c:d@sha256:" + someHex, "localhost/x:1", "[::1]/a:1", "docker.io/x:y",
		"a//b", "index.docker.io/a:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		ref, err := ParseImageRef(in)
		if err != nil {
			return
		}
		again, err := ParseImageRef(ref.String())
		if err != nil || again != ref {
			t.Errorf("%q: %q is read again as %q, %v", in, ref, again, err)
		}
		if ref.Registry == "" || ref.Repository == "" || strings.ContainsAny(ref.String(), " \n\x00") {
			t.Errorf("%q: %+v", in, ref)
		}
	})
}

func TestParseEntryPath(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"a", "a/b", "charts/brig-1.2.3+x.tgz", ".hidden", "a/..b", strings.Repeat("a", MaxEntryPath)} {
		if p, err := ParseEntryPath(good); err != nil || string(p) != good {
			t.Errorf("%s: %v", good, err)
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "dot": ".", "upwards": "..", "upwards first": "../a", "upwards inside": "a/../b", "upwards and out": "a/../../b",
		"absolute":         "/a",
		"slash at the end": "a/", "two slashes": "a//b", "dot segment": "./a", "dot inside": "a/./b", "backslash": `a\b`, "space": "a b",
		"line break": "a\n", "NUL": "a\x00", "beyond ASCII": "ä", "too long": strings.Repeat("a", MaxEntryPath+1),
	} {
		if _, err := ParseEntryPath(bad); err == nil {
			t.Errorf("%s: %q was taken", name, bad)
		}
	}
}

func TestBytesString(t *testing.T) {
	t.Parallel()
	for amount, want := range map[Bytes]string{
		0: "0 B", 1023: "1023 B", 1024: "1.00 KiB", 10 << 10: "10.0 KiB", 100 << 20: "100 MiB", 1524713390: "1.42 GiB", 1 << 40: "1.00 TiB",
		1 << 50:   "1.00 PiB",
		1<<63 - 1: "8192 PiB",
	} {
		if got := amount.String(); got != want {
			t.Errorf("%d: %s, want %s", int64(amount), got, want)
		}
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	d, err := ParseDate("2026-03-31")
	if err != nil || d.String() != "2026-03-31" || !d.Time().Equal(time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%s, %v", d, err)
	}
	if d != DateOf(time.Date(2026, 4, 1, 1, 30, 0, 0, time.FixedZone("", 2*60*60))) {
		t.Error("a moment's day is not that of UTC")
	}
	if s := (Date{}).String(); s != "" || !(Date{}).IsZero() {
		t.Errorf("no date is written %q", s)
	}
	for _, bad := range []string{"", "31.03.2026", "2026-3-31", "2026-13-01", "2026-02-29", "1969-12-31", "0000-01-01", "2026-03-31 ",
		"20260331"} {
		if d, err := ParseDate(bad); err == nil {
			t.Errorf("%q was read as %s", bad, d)
		}
	}
}
