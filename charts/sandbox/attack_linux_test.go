package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/islandbundle/island/charts"
)

// attackMark begins a request, to a worker of a test, to try what a chart that has
// taken it over would: NAME|ARGUMENT.
const attackMark = "attack:"

// replyOrAttack is the reply of a worker that tries what it is asked to.
func replyOrAttack(asked request, out *bufio.Writer) (bool, error) {
	order, is := strings.CutPrefix(string(asked.Archive), attackMark)
	if !is {
		return reply(asked, out)
	}
	name, argument, _ := strings.Cut(order, "|")
	said := answer{Plain: "done"}
	if err := attacks[name](argument); err != nil {
		said.Plain = "refused: " + err.Error()
	}
	return false, errors.Join(send(out, greeting{}, maxAnswer), send(out, said, maxAnswer), out.Flush())
}

func raw(call, a, b, c, d uintptr) error {
	if _, _, errno := syscall.RawSyscall6(call, a, b, c, d, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// attacks are what a chart could want once its code runs. Each returns nil if it
// was let.
var attacks = map[string]func(argument string) error{
	"read a file": func(file string) error { _, err := os.ReadFile(file); return err },
	"write a file": func(file string) error {
		opened, err := os.Create(file)
		if err != nil {
			return err
		}
		defer opened.Close()
		_, err = opened.WriteString("taken")
		return err
	},
	"fill a file that is open": func(string) error { // a pipe is none
		file, err := unix.MemfdCreate("x", 0)
		if err != nil {
			return err
		}
		_, err = unix.Write(file, []byte("taken"))
		return err
	},
	"list a folder": func(folder string) error { _, err := os.ReadDir(folder); return err },
	"connect": func(address string) error {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err
	},
	"talk to a local service": func(path string) error {
		conn, err := net.Dial("unix", path)
		if err == nil {
			conn.Close()
		}
		return err
	},
	"listen": func(string) error {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			listener.Close()
		}
		return err
	},
	"execute": func(program string) error { return exec.Command(program).Run() },
	"fork": func(string) error {
		pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
		switch {
		case errno != 0:
			return errno
		case pid == 0:
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
		}
		return nil
	},
	"trace the parent": func(pid string) error {
		number, _ := strconv.Atoi(pid)
		err := raw(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(number), 0, 0)
		if err == nil {
			_ = raw(unix.SYS_PTRACE, unix.PTRACE_DETACH, uintptr(number), 0, 0)
		}
		return err
	},
	"signal the parent": func(pid string) error {
		number, _ := strconv.Atoi(pid)
		return syscall.Kill(number, 0)
	},
	"signal a thread of the parent": func(pid string) error {
		number, _ := strconv.Atoi(pid)
		return raw(unix.SYS_TGKILL, uintptr(number), uintptr(number), 0, 0)
	},
	"read the parent's memory": func(pid string) error { _, err := os.ReadFile("/proc/" + pid + "/environ"); return err },
	"mount":                    func(folder string) error { return unix.Mount("none", folder, "tmpfs", 0, "") },
	"new namespaces":           func(string) error { return raw(unix.SYS_UNSHARE, unix.CLONE_NEWUSER, 0, 0, 0) },
	"raise a limit": func(string) error {
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20})
	},
	"load a program into the kernel": func(string) error { return raw(unix.SYS_BPF, 0, 0, 0, 0) },
	"see the parent": func(string) error {
		if os.Getppid() <= 0 {
			return errors.New("it is not there")
		}
		return nil
	},
	"see an interface": func(string) error {
		all, err := net.Interfaces()
		if err == nil && !slices.ContainsFunc(all, func(i net.Interface) bool { return i.Flags&net.FlagUp != 0 }) {
			err = errors.New("none is up")
		}
		return err
	},
	"open many files": func(string) error {
		for range 2 * maxOpenFiles {
			if _, err := unix.EpollCreate1(0); err != nil {
				return err
			}
		}
		return nil
	},
	"take memory": func(string) error {
		private := unix.MAP_ANON | unix.MAP_PRIVATE | unix.MAP_NORESERVE
		taken, err := unix.Mmap(-1, 0, MaxMemory+1<<20, unix.PROT_READ|unix.PROT_WRITE, private)
		if err == nil {
			err = unix.Munmap(taken)
		}
		return err
	},
	"leave a core": func(string) error {
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil || limit.Max > 0 {
			return err
		}
		return errors.New("it may have no bytes")
	},
	"gain privileges": func(string) error {
		if all, err := noNewPrivileges(); err != nil || all {
			return errors.Join(err, errors.New("no thread may"))
		}
		return nil
	},
	"make a thread": func(string) error {
		done := make(chan bool)
		for range 8 {
			go func() { done <- fmt.Sprint(strings.Repeat("x", 1<<20)) != "" }()
		}
		for range 8 {
			<-done
		}
		return nil
	},
}

// noNewPrivileges asks each thread by the files of the kernel.
func noNewPrivileges() (bool, error) {
	threads, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(threads) == 0 {
		return false, fmt.Errorf("no threads: %w", err)
	}
	for _, thread := range threads {
		status, err := os.ReadFile(thread)
		if err != nil || !strings.Contains(string(status), "NoNewPrivs:\t1") {
			return false, err
		}
	}
	return true, nil
}

// world is what attacks are aimed at.
func world(t *testing.T) map[string]string {
	t.Helper()
	folder := t.TempDir()
	secret := filepath.Join(folder, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	local, err := net.Listen("unix", filepath.Join(folder, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close(); local.Close() })
	truth, err := exec.LookPath("true")
	if err != nil {
		t.Skip("no true")
	}
	parent := strconv.Itoa(os.Getpid())
	return map[string]string{
		"read a file": secret, "write a file": filepath.Join(folder, "new"), "list a folder": folder, "mount": folder,
		"connect": listener.Addr().String(), "talk to a local service": filepath.Join(folder, "socket"), "execute": truth,
		"trace the parent": parent, "signal the parent": parent, "signal a thread of the parent": parent, "read the parent's memory": parent,
	}
}

// attack has a worker with these layers try something, and returns what came of
// it, and what the worker lacks of the layers.
func attack(t *testing.T, layers []layer, name, argument string) (string, missing) {
	t.Helper()
	pool, err := New(Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	pool.layers = layers
	defer pool.Close()
	_, err = pool.Discover(context.Background(), []byte(attackMark+name+"|"+argument), charts.DiscoverOptions{})
	w := <-pool.slots
	defer func() { pool.slots <- w }()
	if w == nil {
		return fmt.Sprintf("died: %v", err), nil
	}
	return err.Error(), w.lacks
}

// TestEachLayerAlone holds of each layer that it stops what it is there for with
// no other around the worker, and that a worker without any is stopped by nothing:
// so each attack works, and each layer holds by itself.
func TestEachLayerAlone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		layer   layer
		attacks []string
	}{
		{limits, []string{"fill a file that is open", "open many files", "take memory", "leave a core"}},
		{privileges, []string{"gain privileges"}},
		{calls, []string{
			"gain privileges", "read a file", "write a file", "fill a file that is open", "list a folder", "connect", "talk to a local service",
			"listen", "execute", "fork", "trace the parent", "signal the parent", "signal a thread of the parent",
			"read the parent's memory", "mount", "new namespaces", "raise a limit", "load a program into the kernel", "see an interface",
		}},
		{files, []string{
			"read a file", "write a file", "list a folder", "connect", "execute", "trace the parent", "read the parent's memory", "mount",
			"signal the parent",
		}},
		{spaces, []string{
			"connect", "see the parent", "see an interface", "trace the parent", "signal the parent", "signal a thread of the parent",
		}},
	} {
		t.Run(string(test.layer), func(t *testing.T) {
			t.Parallel()
			aims := world(t)
			for _, name := range test.attacks {
				said, lacks := attack(t, []layer{test.layer}, name, aims[name])
				if why, lacking := lacks[test.layer]; lacking {
					t.Skipf("there is none here: %s", why)
				}
				if name == "gain privileges" && test.layer == calls { // its files cannot be read, which tells the same
					name = "read a file"
				}
				if !strings.HasPrefix(said, "refused: ") {
					t.Errorf("%s: %s", name, said)
				}
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		aims := world(t)
		for name := range attacks {
			if slices.Contains([]string{
				"mount", "new namespaces", "raise a limit", "load a program into the kernel", "trace the parent", "leave a core",
			}, name) {
				continue // whoever runs the test may have no right to
			}
			if said, _ := attack(t, []layer{""}, name, aims[name]); said != "done" {
				t.Errorf("%s: %s", name, said)
			}
		}
	})
}

// TestAllLayersTogether holds that what a worker has here stops everything, and
// lets it live.
func TestAllLayersTogether(t *testing.T) {
	t.Parallel()
	aims := world(t)
	for name := range attacks {
		said, lacks := attack(t, allLayers, name, aims[name])
		if len(lacks) > 0 {
			t.Logf("workers lack %s", lacks.text())
		}
		if _, noFilter := lacks[calls]; noFilter {
			t.Skip("no filter of system calls here")
		}
		want := "refused: "
		if name == "make a thread" {
			want = "done"
		}
		if !strings.HasPrefix(said, want) {
			t.Errorf("%s: %s, want %s", name, said, want)
		}
	}
}

// TestWithoutAnyLayer holds that a chart is rendered where there is nothing to lock
// a worker in, and that it is told.
func TestWithoutAnyLayer(t *testing.T) {
	t.Parallel()
	var told []string
	pool, err := New(Options{Workers: 1, Lacks: func(text string) { told = append(told, text) }})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	// A group that is mapped without a user is refused by every kernel, as all
	// namespaces are by some.
	pool.isolate = func(process *exec.Cmd) {
		inNamespaces(process)
		process.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: 1<<32 - 2, Size: 100}}
	}
	pool.layers = []layer{spaces, limits}
	for range 2 {
		discovery, err := pool.Discover(t.Context(), pack(t, map[string]string{"templates/x.yaml": pod}), charts.DiscoverOptions{})
		if err != nil || len(discovery.Images) != 1 {
			t.Fatalf("got %+v, %v", discovery, err)
		}
	}
	if len(told) != 1 || !strings.Contains(told[0], "without: own namespaces (") {
		t.Errorf("told %q", told)
	}
}

// TestHostileAnswers holds that the parent believes nothing of a worker that its
// chart has taken over.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	named := greeting{charts.Metadata{Name: "app", Version: "1.0.0"}}
	message := func(text string) []byte {
		return append([]byte{byte(len(text) >> 24), byte(len(text) >> 16), byte(len(text) >> 8), byte(len(text))}, text...)
	}
	finds := `{"Discovery":{"Images":[` + strings.Repeat("{},", 1_000_000) + "{}]}}"
	for name, test := range map[string]struct{ said, want string }{
		"a length without end":       {"\xff\xff\xff\xff{}", "is larger than"},
		"more than is read":          {string(message(strings.Repeat(" ", maxAnswer) + "{}")), "is larger than"},
		"a million finds of nothing": {string(message(finds)), "takes more memory"},
		"nesting":                    {string(message(strings.Repeat("[", 1_000_000))), "nested deeper"},
		"half a message":             {"\x00\x00\x00\x09{}", "ends after 2 of 9 bytes"},
	} {
		var said answer
		if err := receiveAnswer(bytes.NewReader([]byte(test.said)), &said); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %.200v, want %q", name, err, test.want)
		}
	}
	for _, name := range []string{"../../etc", `a\b`, "a\nb", "a\u202eb", strings.Repeat("n", charts.MaxNameBytes+1)} {
		if (greeting{charts.Metadata{Name: name}}).check() == nil {
			t.Errorf("a chart may be called %.40q", name)
		}
	}
	if err := (answer{}).check(named); err == nil {
		t.Error("an answer may be about another chart than was greeted with")
	}
	if (missing{"walls": ""}).check() || (missing{calls: strings.Repeat("x", maxReason+1)}).check() {
		t.Error("a worker may lack what there is not")
	}
}

func BenchmarkStart(b *testing.B) {
	for name, layers := range map[string][]layer{
		"none": {""}, "limits": {limits}, "all": allLayers, "all but namespaces": {limits, privileges, files, calls},
	} {
		b.Run(name, func(b *testing.B) {
			archive := pack(b, map[string]string{"templates/x.yaml": pod})
			for b.Loop() {
				pool, err := New(Options{Workers: 1})
				if err != nil {
					b.Fatal(err)
				}
				pool.layers = layers
				if _, err := pool.Discover(context.Background(), archive, charts.DiscoverOptions{LoadOnly: true}); err != nil {
					b.Fatal(err)
				}
				pool.Close()
			}
		})
	}
}
