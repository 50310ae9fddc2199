package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// block returns the commands that README.txt of the bundle indents below a line
// with some words in it, with the names of the bundle and the key filled in.
func block(t *testing.T, d delivery, words string) string {
	t.Helper()
	readme := run(t, d.folder, "tar", "-xOf", d.bundle, "README.txt")
	_, after, found := strings.Cut(readme, words)
	if !found {
		t.Fatalf("README.txt has no %q", words)
	}
	var commands []string
	for line := range strings.Lines(after) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			commands = append(commands, command)
		} else if len(commands) > 0 && strings.TrimSpace(line) != "" {
			break
		}
	}
	if len(commands) == 0 {
		t.Fatalf("README.txt has no commands below %q", words)
	}
	return strings.Join(commands, "")
}

// shell runs commands as a person types them, in a folder of their own. set
// holds environment variables.
func shell(t *testing.T, folder, commands string, set ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", commands)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), set...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// opensslVerifies runs the commands of README.txt as they are.
func opensslVerifies(t *testing.T, d delivery) {
	tool(t, "openssl")
	commands := block(t, d, "With OpenSSL")
	verify := func(bundle, key string) (string, error) {
		return shell(t, t.TempDir(), commands, "BUNDLE="+bundle, "KEY="+key)
	}
	out, err := verify(d.bundle, d.key)
	if err != nil || !strings.HasSuffix(out, "Verified OK\n") {
		t.Errorf("openssl does not take the bundle: %v\n%s", err, out)
	}
	// The first line is the id that island calls the key by.
	id, _, _ := strings.Cut(out, "\n")
	if said := run(t, d.folder, island, "show", d.bundle, "--key", d.key); !strings.Contains(said, "by key "+id) {
		t.Errorf("openssl gives the key the id %s, island says\n%s", id, said)
	}
	if out, err := verify(d.bundle, otherKey(t)); err == nil {
		t.Errorf("openssl takes the bundle with another's key:\n%s", out)
	}
	if out, err := verify(forged(t, d), d.key); err == nil {
		t.Errorf("openssl takes a bundle whose inventory was changed:\n%s", out)
	}
}

// cosignVerifies runs the commands of README.txt with one version of cosign.
// The test is named for it.
func cosignVerifies(t *testing.T, d delivery) {
	cosign := tool(t, filepath.Base(t.Name()))
	bin := t.TempDir()
	if err := os.Symlink(cosign, filepath.Join(bin, "cosign")); err != nil {
		t.Fatal(err)
	}
	commands := block(t, d, "with cosign")
	verify := func(bundle, key string) (string, error) {
		home := t.TempDir()
		return shell(t, home, commands, "BUNDLE="+bundle, "KEY="+key,
			"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "HOME="+home, "SIGSTORE_NO_CACHE=1",
			// Nothing may be asked of the network: this proxy leads nowhere.
			"HTTPS_PROXY=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1")
	}
	if out, err := verify(d.bundle, d.key); err != nil || !strings.Contains(out, "Verified OK") {
		t.Errorf("cosign does not take the bundle: %v\n%s", err, out)
	}
	if out, err := verify(d.bundle, otherKey(t)); err == nil {
		t.Errorf("cosign takes the bundle with another's key:\n%s", out)
	}
	if out, err := verify(forged(t, d), d.key); err == nil {
		t.Errorf("cosign takes a bundle whose inventory was changed:\n%s", out)
	}
}

func otherKey(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	run(t, folder, island, "keygen")
	return filepath.Join(folder, "island.pub")
}

// forged copies the bundle's front, with another sequence number in the
// inventory, which is what an attacker would want to change.
func forged(t *testing.T, d delivery) string {
	t.Helper()
	data, err := os.ReadFile(d.bundle)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(data), `"sequence": 1`, `"sequence": 7`, 1)
	if changed == string(data) {
		t.Fatal("the inventory has no sequence number to forge")
	}
	name := filepath.Join(t.TempDir(), "forged.tar")
	write(t, name, []byte(changed))
	return name
}

// tarUnpacks unpacks the bundle with the machine's tar, finds every blob under
// its digest, and lets the program that is in it verify the bundle, by the
// commands of README.txt.
func tarUnpacks(t *testing.T, d delivery) {
	out := t.TempDir()
	run(t, out, "tar", "-xf", d.bundle)
	blobs, err := os.ReadDir(filepath.Join(out, "blobs", "sha256"))
	if err != nil {
		t.Fatal(err)
	}
	for _, blob := range blobs {
		data, err := os.ReadFile(filepath.Join(out, "blobs", "sha256", blob.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if digest := digestOf(data); digest != "sha256:"+blob.Name() {
			t.Errorf("blob %s has digest %s", blob.Name(), digest)
		}
	}
	if len(blobs) < 2*len(d.images) {
		t.Errorf("tar found only %d blobs for %d images", len(blobs), len(d.images))
	}
	said, err := shell(t, t.TempDir(), "set -e\ncp '"+filepath.Join(out, "bundle.json")+"' .\n"+block(t, d, "This proves bundle.json"),
		"BUNDLE="+d.bundle, "KEY="+d.key)
	if err != nil || !strings.Contains(said, "\nverified ") {
		t.Errorf("the program in the bundle does not verify it: %v\n%s", err, said)
	}
	sum, _, _ := strings.Cut(said, " ")
	if !strings.Contains(said, `"sha256:`+sum) && strings.Count(said, sum) < 2 {
		t.Errorf("README.txt has a sum printed that is not in bundle.json:\n%s", said)
	}
}
