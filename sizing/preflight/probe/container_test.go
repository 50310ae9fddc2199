//go:build linux

package probe

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/islandbundle/island/internal/waytest"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// TestContainers tells containers by their process namespace, and names them by what
// their managers leave.
func TestContainers(t *testing.T) {
	t.Parallel()
	const own = "pid:[4026532999]"
	for _, test := range []struct {
		what, namespace string
		files           map[string]string
		want            string
	}{
		{"machine", firstNamespace, nil, "none"},
		{"machine made of an image for containers", firstNamespace, map[string]string{"/.dockerenv": "", "/run/.containerenv": ""}, "none"},
		{"LXC with systemd", own, map[string]string{"/run/systemd/container": "lxc\n"}, "lxc"},
		{"LXC without systemd", own, map[string]string{"/proc/1/environ": "TERM=linux\x00container=lxc\x00PATH=/bin\x00"}, "lxc"},
		{"LXC, looked at without root", own, map[string]string{
			"/proc/self/mountinfo": "90 80 0:50 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw,user_id=0\n"}, "lxc"},
		{"Incus", own, map[string]string{"/dev/incus/sock": ""}, "lxc"},
		{"systemd-nspawn", own, map[string]string{"/run/host/container-manager": "systemd-nspawn\n"}, "systemd-nspawn"},
		{"Docker", own, map[string]string{"/.dockerenv": ""}, "docker"},
		{"Podman", own, map[string]string{"/run/.containerenv": "engine=\"podman-4\"\n"}, "podman"},
		{"pod", own, map[string]string{"/var/run/secrets/kubernetes.io/serviceaccount/token": "x"}, "kubernetes"},
		{"somebody else's", own, nil, "namespace"},
		{"OpenVZ", own, map[string]string{"/proc/vz/version": ""}, "openvz"},
		{"machine that runs OpenVZ", firstNamespace, map[string]string{"/proc/vz/version": "", "/proc/bc/resources": ""}, "none"},
		{"Linux within Windows", firstNamespace, map[string]string{"/proc/sys/kernel/osrelease": "5.15.90.1-microsoft-standard-WSL2\n"}, "wsl"},
	} {
		system := tree(t, test.files)
		link := filepath.Join(system.Root, "/proc/self/ns/pid")
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(test.namespace, link); err != nil {
			t.Fatal(err)
		}
		if got := system.container(); !got.Known() || got.Value != test.want {
			t.Errorf("%s: it is %+v, want %s", test.what, got, test.want)
		}
	}
	if got := tree(t, nil).container(); got.Known() {
		t.Errorf("without a namespace that can be read it is %+v", got)
	}
}

// TestOwnNamespace: a program in a process namespace of its own is in a container,
// whatever this machine is.
func TestOwnNamespace(t *testing.T) {
	t.Parallel()
	waytest.Need(t, "unshare")
	var got facts.Value[string]
	startTask(t, []string{"unshare", "--pid", "--fork", "--mount-proc"}, task{Container: true}, &got)
	if !got.Known() || got.Value == "none" {
		t.Errorf("it is %+v", got)
	}
}
