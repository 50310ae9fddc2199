package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/islandbundle/island/manifests/fault"
)

const day = 1774915200 // 2026-03-31

func TestHeaderIsReadByArchiveTar(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		path   string
		mode   uint32
		size   int64
		mtime  int64
		blocks int
	}{
		{"plain", "bundle.json", 0o644, 1234, day, 1},
		{"empty", "values/empty", 0o600, 0, 0, 1},
		{"executable", "tools/linux-amd64/island", 0o755, 1, day, 1},
		{"name of 100 bytes", strings.Repeat("n", 100), 0o644, 1, day, 1},
		{"name of 101 bytes without a slash", strings.Repeat("n", 101), 0o644, 1, day, 3},
		{"prefix of 155 bytes and name of 99", strings.Repeat("p", 155) + "/" + strings.Repeat("n", 99), 0o644, 1, day, 1},
		{"prefix of 156 bytes", strings.Repeat("p", 156) + "/" + strings.Repeat("n", 20), 0o644, 1, day, 3},
		{"name of 101 bytes behind a slash", "files/" + strings.Repeat("n", 101), 0o644, 1, day, 3},
		{"name of 100 bytes behind a slash", "files/" + strings.Repeat("n", 100), 0o644, 1, day, 1},
		{"largest octal size", "blobs/x", 0o644, 1<<33 - 1, day, 1},
		{"size of 8 GiB", "blobs/x", 0o644, 1 << 33, day, 3},
		{"largest size", "blobs/x", 0o644, maxBundleBytes, day, 3},
		{"long path and large size", "files/" + strings.Repeat("n", 249), 0o644, 1 << 34, day, 3},
		{"latest time", "x", 0o644, 1, maxMTime, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := header(test.path, test.mode, test.size, test.mtime)
			if len(got) != test.blocks*blockSize {
				t.Errorf("header has %d bytes, want %d blocks", len(got), test.blocks)
			}
			have, err := tar.NewReader(bytes.NewReader(got)).Next()
			if err != nil {
				t.Fatal(err)
			}
			if have.Name != test.path || have.Size != test.size || have.FileInfo().Mode().Perm() != 0o777&have.FileInfo().Mode() ||
				have.Mode != int64(test.mode) || !have.ModTime.Equal(time.Unix(test.mtime, 0)) || have.Typeflag != tar.TypeReg {
				t.Errorf("archive/tar reads %+v", have)
			}
			if have.Uid != 0 || have.Gid != 0 || have.Uname != "" || have.Gname != "" {
				t.Errorf("owner is not 0 and unnamed: %+v", have)
			}
			if test.blocks > 1 {
				return // archive/tar names its extended headers otherwise
			}
			if want := headerByArchiveTar(t, test.path, test.mode, test.size, test.mtime); !bytes.Equal(got, want) {
				t.Errorf("header is not the one that archive/tar writes:\n%q\n%q", got, want)
			}
		})
	}
}

func headerByArchiveTar(t *testing.T, path string, mode uint32, size, mtime int64) []byte {
	t.Helper()
	var written bytes.Buffer
	err := tar.NewWriter(&written).WriteHeader(&tar.Header{
		Name: path, Mode: int64(mode), Size: size, ModTime: time.Unix(mtime, 0), Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
	})
	if err != nil {
		t.Fatal(err)
	}
	return written.Bytes()
}

// A PAX record counts its own length, which can need one more digit by that.
func TestPAXRecordCountsItself(t *testing.T) {
	t.Parallel()
	for length := range 1200 {
		record := paxRecord("path", strings.Repeat("v", length))
		var said int
		if _, err := fmt.Sscanf(record, "%d ", &said); err != nil || said != len(record) {
			t.Fatalf("record of %d bytes says %d (%v)", len(record), said, err)
		}
	}
}

func TestFullDiskSaysThatTheBuildGoesOn(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		var explained *fault.Error
		err := onDisk(fmt.Errorf("write: %w", cause), "wire.tar.partial")
		if !errors.As(err, &explained) || explained.Side != fault.Here || explained.Object != "wire.tar.partial" ||
			!errors.Is(err, cause) || !strings.Contains(explained.Hint, "goes on where it stopped") {
			t.Errorf("%v is told as %v", cause, err)
		}
	}
	other := errors.New("other")
	if err := onDisk(other, "wire.tar"); err != other {
		t.Errorf("another error became %v", err)
	}
}
