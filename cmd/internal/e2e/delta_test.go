package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestRealDelta takes one of Wire's own releases to the next: what differs, a
// patch of chosen charts, a delta, and what it makes of the earlier bundle.
func TestRealDelta(t *testing.T) {
	t.Parallel()
	folder, _, _ := wireUpstream(t)
	at := func(name string) string { return filepath.Join(folder, name) }
	manifest := func(name string) string {
		absolute, err := filepath.Abs(filepath.Join(wireBuilds, name))
		if err != nil {
			t.Fatal(err)
		}
		return absolute
	}
	island := func(args ...string) string { t.Helper(); return run(t, folder, island, args...) }
	for _, release := range []struct{ name, date, sequence string }{{"2026-q1", "2026-03-31", "1"}, {"2026-q2", "2026-06-30", "3"}} {
		name := release.name
		island("resolve", "-f", manifest(name+".json"), "--overlay", "site.yaml", "--profile", "site", "--date", release.date,
			"--sequence", release.sequence,
			"--mirrors", "mirrors.yaml", "--cache-dir", "cache", "-o", name+".lock.json")
		island("build", name+".lock.json", "--mirrors", "mirrors.yaml", "--cache-dir", "cache", "--unsigned", "--without-tools",
			anyDiscovery, "-o", name+".tar")
	}
	if diff := island("diff", "2026-q1.lock.json", "2026-q2.lock.json"); !bytes.Contains([]byte(diff), []byte("wire-server")) {
		t.Errorf("the diff does not name wire-server:\n%s", diff)
	}
	island("build", "2026-q2.lock.json", "--mirrors", "mirrors.yaml", "--cache-dir", "cache", "--unsigned", "--without-tools", anyDiscovery,
		"--base", "2026-q1.tar", "-o", "delta.tar")
	island("verify", "delta.tar", "--allow-unsigned")
	island("apply", "2026-q1.tar", "delta.tar", "--allow-unsigned", "-o", "applied.tar")
	same(t, at("applied.tar"), at("2026-q2.tar"))

	// No more is carried than what differs, the inventory, and little else.
	info, err := os.Stat(at("delta.tar"))
	if err != nil {
		t.Fatal(err)
	}
	differs := beyond(t, at("2026-q1.tar"), at("2026-q2.tar"))
	if limit := differs + differs/1000 + 1<<20; info.Size() > limit {
		t.Errorf("the delta has %d bytes, the parts that differ %d: more than %d", info.Size(), differs, limit)
	}
	t.Logf("the delta has %d bytes, the parts that differ %d", info.Size(), differs)

	// A security patch as it is made today: chosen charts of the newer release.
	island(
		"patch",
		"from",
		manifest("2026-q1.json"),
		manifest("2026-q2.json"),
		"--charts",
		"wire-server,webapp",
		"--id",
		"WIRE-2026-007",
		"--no-steps",
		"--severity",
		"high",
		"--summary",
		"two charts of the next release",
		"--date",
		"2026-04-15",
		"--release",
		"wire",
		"-o",
		"patch.yaml",
	)
	island("resolve", "-f", manifest("2026-q1.json"), "--overlay", "site.yaml", "--profile", "site", "--date", "2026-03-31",
		"-p", "patch.yaml", "--after", "2026-q1.tar", "--mirrors", "mirrors.yaml", "--cache-dir", "cache", "-o", "patched.lock.json")
	island("build", "patched.lock.json", "--mirrors", "mirrors.yaml", "--cache-dir", "cache", "--unsigned", "--without-tools", anyDiscovery,
		"--base", "2026-q1.tar", "-o", "patch.delta.tar")
	island("apply", "2026-q1.tar", "patch.delta.tar", "--allow-unsigned", "-o", "patched.tar")
	island("verify", "patched.tar", "--allow-unsigned")
}

// same demands that two files have the same bytes.
func same(t *testing.T, one, other string) {
	t.Helper()
	sum := func(name string) []byte {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		hash := sha256.New()
		if _, err := io.Copy(hash, file); err != nil {
			t.Fatal(err)
		}
		return hash.Sum(nil)
	}
	if !bytes.Equal(sum(one), sum(other)) {
		t.Errorf("%s and %s differ", one, other)
	}
}

// beyond returns the bytes of the entries of an archive whose content the other
// one does not have, but for bundle.json and its signature.
func beyond(t *testing.T, base, archive string) int64 {
	t.Helper()
	have := map[string]bool{}
	each := func(name string, visit func(digest string, size int64)) {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for reader := tar.NewReader(file); ; {
			header, err := reader.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(reader)
			if err != nil {
				t.Fatal(err)
			}
			if header.Name != "bundle.json" && header.Name != "bundle.sigstore.json" {
				visit(digestOf(content), header.Size)
			}
		}
	}
	each(base, func(digest string, _ int64) { have[digest] = true })
	total := int64(0)
	each(archive, func(digest string, size int64) {
		if !have[digest] {
			total += size
		}
	})
	return total
}
