package manifests

import (
	"fmt"
	"strings"
	"testing"
)

func TestParsePlatform(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm64/v8", "windows/amd64",
		"windows/amd64:10.0.20348.1234", "windows/arm64/v8:10.0.26100"} {
		if p, err := ParsePlatform(good); err != nil || p.String() != good {
			t.Errorf("%s: %s, %v", good, p, err)
		}
	}
	for _, bad := range []string{"", "linux", "/", "linux/", "/amd64", "linux//v7", "linux/arm/v7/x", "Linux/amd64", "linux/amd 64",
		"linux/../x", "linux/..", "linux/amd64\n", "linux/ämd64", "-/-", "linux/amd64:5.10.1", "windows/amd64:", "windows/amd64:ltsc2022",
		"windows/amd64:10.0", "windows/amd64:10.0.20348:1", "windows:10.0.20348/amd64"} {
		if p, err := ParsePlatform(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, p)
		}
	}
}

// The ranks follow containerd's package platforms (compare.go, database.go and
// platform_windows_compat.go), without 386 for amd64 and arm for arm64.
func TestPlatformRank(t *testing.T) {
	t.Parallel()
	const never = -1
	for _, test := range []struct {
		want, have string
		rank       int
	}{
		{"linux/amd64", "linux/amd64", 0},
		{"linux/amd64", "linux/amd64/v1", 0},
		{"linux/amd64/v1", "linux/amd64", 0},
		{"linux/amd64", "linux/amd64/v3", never},
		{"linux/amd64/v3", "linux/amd64/v3", 0},
		{"linux/amd64/v3", "linux/amd64/v2", 1},
		{"linux/amd64/v3", "linux/amd64", 2},
		{"linux/amd64/v2", "linux/amd64/v3", never},
		{"linux/amd64", "linux/386", never},
		{"linux/amd64", "linux/arm64", never},
		{"linux/amd64", "windows/amd64", never},
		{"linux/amd64", "linux/x86_64", 0},
		{"linux/amd64", "Linux/AMD64", 0},
		{"linux/386", "linux/i386", 0},
		{"linux/arm64", "linux/arm64/v8", 0},
		{"linux/arm64", "linux/aarch64/8", 0},
		{"linux/arm64/v8", "linux/arm64", 0},
		{"linux/arm64", "linux/arm64/v8.0", 0},
		{"linux/arm64", "linux/arm64/v8.1", never},
		{"linux/arm64", "linux/arm64/v9", never},
		{"linux/arm64", "linux/arm/v7", never},
		{"linux/arm64/v8.2", "linux/arm64", 2},
		{"linux/arm64/v9", "linux/arm64/v8.5", 1},
		{"linux/arm64/v9", "linux/arm64/v8", 6},
		{"linux/arm64/v9.1", "linux/arm64/v9", 1},
		{"linux/arm64/v9", "linux/arm64/v8.6", never},
		{"linux/arm64/v9.5", "linux/arm64/v8.9", 6},
		{"linux/arm", "linux/arm/v7", 0},
		{"linux/arm", "linux/armhf", 0},
		{"linux/arm", "linux/arm", 0},
		{"linux/arm", "linux/arm/v6", 1},
		{"linux/arm", "linux/armel", 1},
		{"linux/arm", "linux/arm/v5", 2},
		{"linux/arm", "linux/arm/v4", never},
		{"linux/arm", "linux/arm/v8", never},
		{"linux/arm/v7", "linux/arm/7", 0},
		{"linux/arm/v6", "linux/arm/v7", never},
		{"linux/riscv64", "linux/riscv64/rva22u64", never},
		{"linux/riscv64/rva22u64", "linux/riscv64/rva22u64", 0},
		{"linux/s390x", "linux/s390x", 0},
		{"windows/amd64", "windows/amd64:10.0.17763.1", 0},
		{"windows/amd64:10.0.17763.1", "windows/amd64", 0},
		{"windows/amd64:10.0.17763.1", "windows/amd64:10.0.17763.2", 0},
		{"windows/amd64:10.0.17763.1", "windows/amd64:10.0.17762.1", never},
		{"windows/amd64:10.0.17763.1", "windows/amd64:10.0.20348.1", never},
		{"windows/amd64:10.0.20348", "windows/amd64:10.0.20348.9", 0},
		{"windows/amd64:10.0.20348", "windows/amd64:10.0.17763.9", never},
		{"windows/amd64:10.0.25398", "windows/amd64:10.0.20348.9", 0},
		{"windows/amd64:10.0.26100", "windows/amd64:10.0.20348.9", 0},
		{"windows/amd64:10.0.26200", "windows/amd64:10.0.20348.9", 0},
		{"windows/amd64:10.0.26200", "windows/amd64:10.0.17763.9", never},
		{"windows/amd64:10.0.26100", "windows/amd64:10.0.26101.9", never},
		{"windows/amd64:10.0.26100", "windows/amd64:11.0.26100.9", never},
		{"windows/amd64:10.0.26100", "windows/amd64:latest", never},
		{"windows/amd64:10.0.26100", "windows/amd64:10.0.-1.2", never},
	} {
		want, err := ParsePlatform(test.want)
		if err != nil {
			t.Fatal(err)
		}
		rank, ok := want.Rank(said(test.have))
		if !ok {
			rank = never
		}
		if rank != test.rank {
			t.Errorf("%s wanted, %s there: rank %d, want %d", test.want, test.have, rank, test.rank)
		}
	}
}

// said is a platform as an index says it, which is not checked.
func said(text string) Platform {
	text, version, _ := strings.Cut(text, ":")
	parts := append(strings.Split(text, "/"), "", "")
	return EntryPlatform{OS: parts[0], Architecture: parts[1], Variant: parts[2], OSVersion: version}.Platform()
}

func TestSamePlatform(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"linux/amd64", "linux/amd64/v1", true}, {"linux/arm64", "linux/arm64/v8", true}, {"linux/arm", "linux/arm/v7", true},
		{"linux/amd64", "linux/amd64/v2", false}, {"linux/arm", "linux/arm/v6", false}, {"windows/amd64", "windows/amd64:10.0.20348", false},
	} {
		if said(test.a).Same(said(test.b)) != test.same {
			t.Errorf("%s and %s: same is not %t", test.a, test.b, test.same)
		}
	}
}

// FuzzPlatformRank holds that whatever an index says is compared, and that what is
// wanted suits itself best.
func FuzzPlatformRank(f *testing.F) {
	f.Add("linux/amd64", "linux/amd64/v3")
	f.Add("linux/arm64/v9.99", "linux/arm64/v8.-1")
	f.Add("windows/amd64:10.0.20348.1", "windows/amd64:10.0.99999999999999999999")
	f.Add("linux/arm/v999", "linux/arm/")
	f.Fuzz(func(t *testing.T, want, have string) {
		p, err := ParsePlatform(want)
		if err != nil {
			return
		}
		if rank, ok := p.Rank(p); !ok || rank != 0 || !p.Same(p) {
			t.Errorf("%s does not suit itself", p)
		}
		if strings.Contains(have, "/") {
			if rank, ok := p.Rank(said(have)); rank < 0 || rank > 1000 || !ok && rank != 0 {
				t.Errorf("%s has rank %d for %s", have, rank, want)
			}
		}
	})
}

func TestFormatForIndex(t *testing.T) {
	t.Parallel()
	index := func(platforms ...string) ImageIndex {
		var x ImageIndex
		for i, text := range platforms {
			entry := IndexEntry{MediaType: OCIManifest, Digest: digestOf(fmt.Sprint(i))}
			if text != "" {
				p := said(text)
				entry.Platform = &EntryPlatform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion}
			}
			x.Manifests = append(x.Manifests, entry)
		}
		return x
	}
	for _, test := range []struct {
		index  ImageIndex
		format int
	}{
		{index("linux/386", "linux/amd64", "linux/arm64"), 1},
		{index("linux/amd64", "linux/amd64/v2"), 1},
		{index("linux/amd64/v2", "linux/amd64"), 2},
		{index("linux/amd64", "linux/amd64"), 2},
		{index("linux/amd64", ""), 2},
		{index("linux/arm64"), 1}, // nothing of it is carried: that is refused elsewhere
	} {
		if got := test.index.FormatFor([]Platform{said("linux/amd64")}); got != test.format {
			t.Errorf("%v: format %d, want %d", test.index.Manifests, got, test.format)
		}
	}
	nested := index("linux/amd64")
	nested.Manifests[0].MediaType = OCIIndex
	if got := nested.FormatFor([]Platform{said("linux/amd64")}); got != 2 {
		t.Errorf("an index in the index: format %d", got)
	}
}
