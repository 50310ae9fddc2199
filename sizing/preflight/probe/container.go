//go:build linux

package probe

import (
	"os"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// The kinds of container that are told where no manager says its own name.
const (
	noContainer    = "none"
	unnamed        = "namespace" // processes of their own, by whomever
	firstNamespace = "pid:[4026531836]"
)

// container tells whether the host is a container. Each has a process namespace
// of its own; the machine's own has a number that never differs (PROC_PID_INIT_INO
// in linux/proc_ns.h). So marks that came with a disk image make no container of a
// machine, and one that no manager has marked is a container all the same.
func (s System) container() facts.Value[string] {
	const source = "/proc/self/ns/pid, /run/systemd/container"
	method := message.Of("facts.method.container", nil)
	if kind := s.sharedKernel(); kind != "" {
		return known(kind, nil, method, source)
	}
	namespace, err := os.Readlink(s.path("/proc/self/ns/pid"))
	switch {
	case err != nil:
		return known("", err, method, source)
	case namespace == firstNamespace:
		return known(noContainer, nil, method, source)
	}
	return known(facts.Cut(s.containerMark()), nil, method, source)
}

// sharedKernel tells kinds that need no process namespace of their own: OpenVZ, and
// Linux within Windows.
func (s System) sharedKernel() string {
	release, _ := s.readWord("/proc/sys/kernel/osrelease")
	switch {
	case strings.Contains(strings.ToLower(release), "microsoft"):
		return "wsl"
	case s.exists("/proc/vz") && !s.exists("/proc/bc"): // the latter is on the machine itself
		return "openvz"
	}
	return ""
}

// containerMark returns the name that the manager of a container has left
// (systemd, Container Interface), or what only one of them leaves.
func (s System) containerMark() string {
	for _, file := range []string{"/run/systemd/container", "/run/host/container-manager"} {
		if name, err := s.readWord(file); err == nil && name != "" {
			return name
		}
	}
	environment, _ := s.read("/proc/1/environ") // takes root
	for variable := range strings.SplitSeq(environment, "\x00") {
		if name, ok := strings.CutPrefix(variable, "container="); ok && name != "" {
			return name
		}
	}
	for _, mark := range []struct{ file, kind string }{
		{"/run/.containerenv", "podman"}, {"/.dockerenv", "docker"}, {"/dev/lxd/sock", "lxc"}, {"/dev/incus/sock", "lxc"},
		{"/dev/.lxc-boot-id", "lxc"}, {"/var/run/secrets/kubernetes.io", "kubernetes"},
	} {
		if s.exists(mark.file) {
			return mark.kind
		}
	}
	if mounts, err := s.read("/proc/self/mountinfo"); err == nil && strings.Contains(mounts, " fuse.lxcfs ") {
		return "lxc"
	}
	return unnamed
}
