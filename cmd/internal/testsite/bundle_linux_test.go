package testsite

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/fixture"
)

// TestBundleIsAllThatIsNeeded builds a real bundle, takes it, the public key and
// nothing else to the admin host, and measures the site with what is in it.
func TestBundleIsAllThatIsNeeded(t *testing.T) {
	s := newSite(t, goodHosts())
	carried := s.deliver()
	for _, file := range []string{"hosts.ini", "site.yaml", "ssh_config"} {
		s.copy(filepath.Join(s.folder, file), filepath.Join(carried, file))
	}
	s.copy(s.table(), filepath.Join(carried, "table.yaml"))
	// As README.txt in the bundle has it, with tar alone.
	extracted := filepath.Join(carried, "island")
	s.run("sh", "-c",
		"tar -xOf "+filepath.Join(carried, "wire.tar")+" tools/linux-"+runtime.GOARCH+"/island >"+extracted+" && chmod 755 "+extracted)
	preflight := func(t *testing.T, args ...string) (int, report, string) {
		t.Helper()
		return s.onAdmin(
			t,
			carried,
			append([]string{"./island", "preflight", "-i", "hosts.ini", "--site", "site.yaml", "--ssh-config", "ssh_config",
				"--bundle", "wire.tar", "--output", "json", "--quiet"}, args...)...)
	}
	t.Run("table of the test site", func(t *testing.T) {
		code, r, stderr := preflight(t, "--key", "island.pub", "--table", "table.yaml")
		if code != 0 {
			t.Errorf("exit code %d\n%s", code, stderr)
		}
		for _, want := range []string{"bundle.asset-host pass", "bundle.node-disk pass", "bundle.registry skipped", "bundle.upgrade skipped"} {
			if !r.has(want) {
				t.Errorf("report lacks %q", want)
			}
		}
	})
	t.Run("the bundle's own table", func(t *testing.T) {
		code, r, stderr := preflight(t, "--key", "island.pub")
		// The hosts are far smaller than the guide wants.
		if code != 4 || r.Table != "guide" || !r.has("count.hosts fail") || !r.has("disk.size fail") {
			t.Errorf("exit code %d, table %q\n%s", code, r.Table, stderr)
		}
	})
	t.Run("upgrade", func(t *testing.T) {
		h := s.host("assethost")
		s.in(h, "mkdir -p /opt/assets/containers-helm; printf 'quay.io_wire_brig_5.28.2.tar\n' >/opt/assets/containers-helm/index.txt")
		defer s.in(h, "rm -r /opt/assets")
		code, r, stderr := preflight(t, "--key", "island.pub", "--table", "table.yaml")
		if code != 4 || !r.has("software.leftovers fail") || r.has("bundle.upgrade skipped") {
			t.Errorf("exit code %d\n%s", code, stderr)
		}
		stop := s.background(h, s.program("island-probe"), "listen", "--token", "nginx", "--for", "10m", "tcp:8080")
		defer stop()
		s.awaitPort(h.name, h.pid, "tcp:8080")
		code, r, stderr = preflight(t, "--key", "island.pub", "--table", "table.yaml", "--installed", "5.28.2")
		if code != 0 || !r.has("bundle.upgrade warn") && !r.has("bundle.upgrade pass") || !r.has("software.leftovers pass") ||
			r.has("port.in-use fail") {
			t.Errorf("exit code %d\n%s%s", code, result{report: r}.explain(), stderr)
		}
	})
	t.Run("another key", func(t *testing.T) {
		s.onAdmin(t, carried, "./island", "keygen", "--key-name", "stranger")
		if code, r, _ := preflight(t, "--key", "stranger.pub"); code != 3 || r.Findings != nil {
			t.Errorf("exit code %d, %d findings", code, len(r.Findings))
		}
	})
	t.Run("a changed byte", func(t *testing.T) {
		s.flipByte(filepath.Join(carried, "wire.tar"), "linux-"+runtime.GOARCH+"/island-probe")
		if code, r, _ := preflight(t, "--key", "island.pub"); code != 3 || r.Findings != nil {
			t.Errorf("exit code %d, %d findings", code, len(r.Findings))
		}
	})
}

// deliver builds a bundle of the fixture's release, and gives a folder with it
// and the public key.
func (s *site) deliver() string {
	s.t.Helper()
	folder, carried := filepath.Join(s.folder, "build"), filepath.Join(s.folder, "carried")
	s.file(filepath.Join(folder, "readme"), "", 0o644)
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), deliveryVariable+"="+s.programs, "COSIGN_PASSWORD=secret")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"wire.tar", "island.pub"} {
		s.copy(filepath.Join(folder, name), filepath.Join(carried, name))
	}
	return carried
}

// A release for a bundle takes more memory than a run of preflight may, which
// would be held against that: a child's begins with its parent's. So it is made
// in a process of its own: this very test program, called anew.
const deliveryVariable = "ISLAND_TEST_SITE_DELIVERY"

// deliver builds a bundle in the current folder, with tools from another.
func deliver(tools string) {
	ctx := context.Background()
	world, err := fixture.New(ctx, fixture.Options{Bytes: 1 << 20})
	check(err)
	server, err := world.Serve(ctx, fixture.ServeOptions{})
	check(err)
	defer server.Close()
	check(os.WriteFile("release.yaml", world.ReleaseYAML(), 0o644))
	check(os.WriteFile("mirrors.yaml", world.MirrorsYAML(server.Addr()), 0o644))
	for _, args := range [][]string{
		{"keygen"},
		{
			"build", "-f", "release.yaml", "--mirrors", "mirrors.yaml", "--cache-dir", "cache",
			"--tools", tools, "--key", "island.key", "-o", "wire.tar",
		},
	} {
		cmd := exec.CommandContext(ctx, filepath.Join(tools, "linux-"+runtime.GOARCH, "island"), args...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		check(cmd.Run())
	}
}

// onAdmin runs a command on the admin host that finds nothing but the system's
// own programs.
func (s *site) onAdmin(t *testing.T, folder string, args ...string) (int, report, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", s.prefix + "admin"}, args...)...)
	var stdout, stderr strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, &stdout, &stderr
	cmd.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "HOME=" + folder, "COSIGN_PASSWORD=secret"}
	_ = cmd.Run()
	var r report
	if stdout.Len() > 0 && slices.Contains(args, "json") {
		if err := json.Unmarshal([]byte(stdout.String()), &r); err != nil {
			t.Fatalf("%v\n%s", err, stdout.String())
		}
	}
	return cmd.ProcessState.ExitCode(), r, stderr.String()
}

// has reports whether a report has a finding, by its id and outcome.
func (r report) has(finding string) bool {
	for _, f := range r.Findings {
		if f.ID+" "+f.Outcome == finding {
			return true
		}
	}
	return false
}

func (s *site) copy(from, to string) {
	s.t.Helper()
	s.run("install", "-D", "-m", "755", from, to)
}

// flipByte changes one bit in the middle of an entry of an archive.
func (s *site) flipByte(archive, entry string) {
	s.t.Helper()
	// The inventory names it first, the entry's own header last.
	found := strings.Fields(s.run("grep", "-abo", entry, archive))
	header, _, _ := strings.Cut(found[len(found)-1], ":")
	offset, err := strconv.ParseInt(header, 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	file, err := os.OpenFile(archive, os.O_RDWR, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	at, bit := offset+1<<20, make([]byte, 1)
	if _, err := file.ReadAt(bit, at); err != nil {
		s.t.Fatal(err)
	}
	bit[0] ^= 1
	if _, err := file.WriteAt(bit, at); err != nil {
		s.t.Fatal(err)
	}
}
