package keyfile_test

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/trust/keyfile"
)

// A build goes on after its key has been read, so scrypt's 64 MiB have to be
// back with the system by then. Not parallel: it looks at the whole process.
func TestMemoryIsGivenBack(t *testing.T) {
	pair := pair()
	before := residentKiB(t)
	if _, err := keyfile.ParsePrivateKey("island.key", pair.PrivatePEM, secret("x")); err != nil {
		t.Fatal(err)
	}
	after := residentKiB(t)
	t.Logf("resident: %d KiB before, %d KiB after reading a key", before, after)
	if after > before+8<<10 {
		t.Errorf("reading a key left %d KiB more in use", after-before)
	}
}

func residentKiB(t *testing.T) int {
	t.Helper()
	file, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			if err != nil {
				t.Fatal(err)
			}
			return kib
		}
	}
	t.Fatal("no VmRSS in /proc/self/status")
	return 0
}
