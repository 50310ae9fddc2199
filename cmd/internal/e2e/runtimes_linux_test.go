package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// daemon is a container runtime that shares nothing with the machine's.
type daemon struct {
	home   string // everything it keeps; a short path, since that of a socket may have 107 bytes
	socket string
}

// startDaemon starts a runtime and waits for its socket. prepare is called with the
// daemon's home before, and says the command.
func startDaemon(t *testing.T, name string, prepare func(daemon) *exec.Cmd) daemon {
	t.Helper()
	home, err := os.MkdirTemp("", name)
	if err != nil {
		t.Fatal(err)
	}
	d := daemon{home, filepath.Join(home, "sock")}
	var log bytes.Buffer
	cmd := prepare(d)
	cmd.Stdout, cmd.Stderr = &log, &log
	// It must not outlive the test, even if that is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	awaitSocket(t, d.socket)
	return d
}

func awaitSocket(t *testing.T, path string) {
	t.Helper()
	err := await(func() error {
		connection, err := net.Dial("unix", path)
		if err == nil {
			connection.Close()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// await tries something until it succeeds, or its time is up. It is for what another
// process does, of which nobody tells.
func await(try func() error) error {
	for deadline := time.Now().Add(patience); ; <-time.After(20 * time.Millisecond) {
		if err := try(); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// startContainerd starts a containerd without the interface for kubelets, and
// returns the path of its socket.
func startContainerd(t *testing.T) string {
	t.Helper()
	containerd := tool(t, "containerd")
	return startDaemon(t, "ctrd", func(d daemon) *exec.Cmd {
		write(t, filepath.Join(d.home, "config.toml"), fmt.Appendf(nil, "version = 2\nroot = %q\nstate = %q\n"+
			"disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.internal.v1.opt\"]\n[grpc]\naddress = %q\n",
			filepath.Join(d.home, "root"), filepath.Join(d.home, "state"), d.socket))
		return exec.Command(containerd, "--log-level", "warn", "--config", filepath.Join(d.home, "config.toml"))
	}).socket
}

// node is a containerd as a kubelet has it, and how the kubelet talks to it.
type node struct {
	daemon
	containerd, client, cri string
	export                  []string
}

// containerds are the ones that are tested: Debian's, and the one of today.
var containerds = map[string]struct {
	containerd, ctr string
	export          []string // of ctr: what the daemon streams may end early, with exit code 0
	config          string   // by home, sandbox image and folder of registries
}{
	"containerd 1.6": {"containerd", "ctr", nil, `version = 2
disabled_plugins = ["io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %[2]q
  restrict_oom_score_adj = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = %[3]q
  [plugins."io.containerd.grpc.v1.cri".cni]
    conf_dir = "%[1]s/cni"
`},
	"containerd 2": {"containerd-v2", "ctr-v2", []string{"--local"}, `version = 3
disabled_plugins = ["io.containerd.internal.v1.opt"]
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = %[2]q
[plugins."io.containerd.cri.v1.images".registry]
  config_path = %[3]q
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    conf_dirs = ["%[1]s/cni"]
[plugins."io.containerd.grpc.v1.cri"]
  disable_tcp_service = true
`},
}

// startNode starts a containerd that a kubelet could use. It knows the registries
// that registries says how to reach, and no others.
func startNode(t *testing.T, version, sandbox string, registries map[string]string) node {
	t.Helper()
	asRoot(t)
	kind := containerds[version]
	n := node{containerd: tool(t, kind.containerd), client: tool(t, kind.ctr), cri: tool(t, "cri"), export: kind.export}
	itself, err := filepath.EvalSymlinks(n.containerd)
	if err != nil {
		t.Fatal(err)
	}
	n.daemon = startDaemon(t, "node", func(d daemon) *exec.Cmd {
		for host, address := range registries {
			folder := filepath.Join(d.home, "registries", host)
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(folder, "hosts.toml"), fmt.Appendf(nil,
				"server = %[1]q\n[host.%[1]q]\n  capabilities = [\"pull\", \"resolve\"]\n  override_path = true\n", address))
		}
		head, sections, _ := strings.Cut(fmt.Sprintf(kind.config, d.home, sandbox, filepath.Join(d.home, "registries")), "[plugins")
		config := fmt.Sprintf("%sroot = %q\nstate = %q\n[grpc]\naddress = %q\n[plugins%s",
			head, filepath.Join(d.home, "root"), filepath.Join(d.home, "state"), d.socket, sections)
		write(t, filepath.Join(d.home, "config.toml"), []byte(config))
		program, args := n.containerd, []string{"--log-level", "warn", "--config", filepath.Join(d.home, "config.toml")}
		if registries == nil {
			program, args = offline(t, program, args...)
		}
		cmd := exec.Command(program, args...)
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(itself)+":"+os.Getenv("PATH")) // its own shim first
		return cmd
	})
	return n
}

// offline returns the command that runs a program where there is no network but
// its own, as on an island: what it has of a bundle it has not asked for elsewhere.
func offline(t *testing.T, program string, args ...string) (string, []string) {
	t.Helper()
	asRoot(t)
	return tool(t, "unshare"), append([]string{"--net", "sh", "-ec", `ip link set lo up; exec "$@"`, "sh", program}, args...)
}

// does does something with an image as a kubelet would: pull, id, run.
func (n node) does(t *testing.T, what, image string) (string, error) {
	t.Helper()
	stdout, stderr, err := try(t, n.home, n.cri, n.socket, what, image)
	return told(stdout, stderr, err)
}

// told returns what a program printed, or as an error what it complained of.
func told(stdout, stderr string, err error) (string, error) {
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr))
	}
	return strings.TrimSpace(stdout), nil
}

// startDocker starts a Docker, which leaves the machine's network alone, and returns the flag by which to talk to it.
func startDocker(t *testing.T) string {
	t.Helper()
	asRoot(t)
	dockerd := tool(t, "dockerd")
	d := startDaemon(t, "dock", func(d daemon) *exec.Cmd {
		at := func(name string) string { return filepath.Join(d.home, name) }
		write(t, at("none.json"), []byte("{}"))
		program, args := offline(t, dockerd, "--host", "unix://"+d.socket,
			"--data-root", at("root"), "--exec-root", at("exec"), "--pidfile", at("pid"), "--config-file", at("none.json"),
			"--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs", "--oom-score-adjust=0")
		return exec.Command(program, args...)
	})
	return "--host=unix://" + d.socket
}
