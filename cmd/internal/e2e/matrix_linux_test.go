package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/islandbundle/island/internal/fixture"
)

// shape is an image of an odd shape: how it is made, and what a machine of
// linux/amd64 has of it.
type shape struct {
	name     string
	entry    fixture.OddEntry
	prints   string   // by the image that a client has to choose
	artifact bool     // no image: it is carried because the release says so
	not      []string // clients that cannot have it from a registry, nor out of the bundle
}

const (
	amd64 = "linux/amd64"
	soci  = "application/vnd.amazon.soci.index.v2+json"
)

func one(platform, prints string) fixture.OddEntry {
	return fixture.OddEntry{Platform: platform, Prints: prints}
}

func index(entries ...fixture.OddEntry) fixture.OddEntry { return fixture.OddEntry{Index: entries} }

// imageShapes are those of images that every client can unpack, once it has found
// them.
func imageShapes(vendor string) []shape {
	docker := func(platform, prints string) fixture.OddEntry {
		return fixture.OddEntry{Platform: platform, Prints: prints, Docker: true}
	}
	return []shape{
		{name: "plain", entry: fixture.OddEntry{Prints: "plain"}, prints: "plain"},
		{name: "with-386", entry: fixture.OddEntry{Docker: true, Index: []fixture.OddEntry{
			docker("linux/386", "386"), docker(amd64, "amd64"), docker("linux/arm/v7", "arm"),
		}}, prints: "amd64"},
		{name: "with-386-oci", entry: index(one(amd64, "amd64"), one("linux/386", "386")), prints: "amd64"},
		{name: "higher-variant-first", entry: index(one(amd64+"/v3", "v3"), one(amd64+"/v2", "v2"), one(amd64, "v1")), prints: "v1"},
		{name: "first-variant-named", entry: index(one(amd64+"/v2", "v2"), one(amd64+"/v1", "v1")), prints: "v1"},
		{name: "same-platform-twice", entry: index(
			fixture.OddEntry{Platform: amd64, Prints: "first"},
			fixture.OddEntry{Platform: amd64, Prints: "second", OSFeatures: []string{"gpu"}},
		), prints: "first"},
		{name: "no-platform", entry: index(fixture.OddEntry{Config: amd64, Prints: "said by its config"}), prints: "said by its config"},
		{name: "nested", entry: index(index(one(amd64, "inner"), one("linux/arm64", "arm64"))), prints: "inner"},
		{name: "nested-for-platform", entry: index(
			fixture.OddEntry{Platform: "linux/arm64", Index: []fixture.OddEntry{one("linux/arm64", "arm64")}},
			fixture.OddEntry{Platform: amd64, Index: []fixture.OddEntry{one(amd64, "inner")}},
		), prints: "inner"},
		{name: "layer-twice", entry: fixture.OddEntry{Prints: "twice", TwiceTheSame: true}, prints: "twice"},
		{name: "foreign-layer", entry: fixture.OddEntry{Prints: "foreign", Docker: true, Foreign: vendor + "/docker"}, prints: "foreign"},
		{name: "foreign-layer-oci", entry: fixture.OddEntry{Prints: "foreign", Foreign: vendor + "/oci"}, prints: "foreign"},
		{name: "foreign-layer-held", entry: fixture.OddEntry{Prints: "held", Foreign: vendor + "/held", ForeignHeld: true}, prints: "held"},
	}
}

// artifactShapes are those with something among their images that is no image, or
// none for this platform.
func artifactShapes(string) []shape {
	return []shape{
		{name: "soci-behind", entry: index(one(amd64, "image"), fixture.OddEntry{Platform: amd64, Artifact: soci}), prints: "image"},
		{name: "soci-in-front", entry: index(fixture.OddEntry{Platform: amd64, Artifact: soci}, one(amd64, "image")), prints: "image",
			not: []string{"containerd 1.6", "containerd 2"}},
		{name: "no-platform-foreign", entry: index(
			fixture.OddEntry{Config: "linux/arm64", Prints: "arm64"}, fixture.OddEntry{Config: amd64, Prints: "amd64"},
		), prints: "amd64", not: []string{"containerd 1.6", "containerd 2"}},
		{name: "artifact", entry: fixture.OddEntry{Artifact: "application/vnd.acme.policy.v1"}, artifact: true,
			not: []string{"containerd 1.6", "containerd 2", "podman", "docker"}},
	}
}

const (
	oddHost   = "odd.example"
	oddBundle = "odd-1-amd64.tar" // as README.txt calls it
)

func (s shape) image() string { return oddHost + "/" + s.name + ":1" }

// oddDelivery is a bundle of odd images, and the registry that they came from.
type oddDelivery struct {
	delivery
	address string // of the registry, without scheme
	shapes  []shape
}

// pause is the image that pods are made of.
var pause = shape{name: "pause"}

// deliverOdd serves images of odd shapes, which are told where a vendor gives out
// layers of his own, and makes a bundle of them for some platforms.
func deliverOdd(t *testing.T, platforms string, made func(vendor string) []shape, besides ...shape) oddDelivery {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close() // the address is part of an image, so that it must be known before
	d := oddDelivery{delivery{folder: t.TempDir()}, address, made("http://" + address + "/files/vendor.example")}
	world, err := fixture.Empty(fixture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	release := "apiVersion: island/v1\nkind: Release\nmetadata: {name: odd, version: \"1\", date: \"2026-11-28\"}\n" +
		"platforms: [" + platforms + "]\nimages:\n"
	for _, s := range append(besides, d.shapes...) {
		if _, err := world.AddOddImage(t.Context(), s.image(), s.entry); err != nil {
			t.Fatal(err)
		}
		release += fmt.Sprintf("- name: %s\n  artifact: %v\n", s.image(), s.artifact)
	}
	server, err := world.Serve(context.Background(), fixture.ServeOptions{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	write(t, filepath.Join(d.folder, "mirrors.yaml"), world.MirrorsYAML(address))
	write(t, filepath.Join(d.folder, "release.yaml"), []byte(release))
	run(t, d.folder, island, "keygen")
	run(t, d.folder, island, "build", "-f", "release.yaml", "--mirrors", "mirrors.yaml", "--cache-dir", "cache",
		"--key", "island.key", "--without-tools", "-o", oddBundle)
	d.bundle = filepath.Join(d.folder, oddBundle)
	run(t, d.folder, island, "verify", oddBundle, "--key", "island.pub")
	d.images = show[image](t, d.bundle, "images")
	return d
}

// client is a program that gets images, upstream or out of the bundle. What it
// gives tells one image from another, and what the image prints where it can run it.
type client struct {
	name     string
	upstream func(*testing.T, oddDelivery) func(*testing.T, shape) (string, error)
	bundle   func(*testing.T, oddDelivery) func(*testing.T, shape) (string, error)
}

var clients = []client{
	{"containerd 1.6", pulledBy("containerd 1.6"), importedBy("containerd 1.6")},
	{"containerd 2", pulledBy("containerd 2"), importedBy("containerd 2")},
	{"podman", podmanPulled, podmanLoaded},
	{"skopeo", skopeoCopiedFromRegistry, skopeoCopiedFromBundle},
	{"docker", nil, dockerLoaded},
}

// TestWhatWorksUpstreamWorksFromTheBundle gets images of every odd shape with
// every client twice, once from the registry and once out of the bundle.
func TestWhatWorksUpstreamWorksFromTheBundle(t *testing.T) {
	t.Parallel()
	for name, shapes := range map[string]func(string) []shape{"images": imageShapes, "artifacts": artifactShapes} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyClientCompares(t, deliverOdd(t, amd64, shapes, pause))
		})
	}
}

func everyClientCompares(t *testing.T, d oddDelivery) {
	var mu sync.Mutex
	cells := map[string]map[string]string{}
	note := func(s shape, client, what string) {
		mu.Lock()
		defer mu.Unlock()
		if cells[s.name] == nil {
			cells[s.name] = map[string]string{}
		}
		cells[s.name][client] = what
	}
	t.Run("clients", func(t *testing.T) {
		for _, c := range clients {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.compares(t, d, note)
			})
		}
	})
	t.Log("\n" + table(d.shapes, cells))
}

func (c client) compares(t *testing.T, d oddDelivery, note func(s shape, client, what string)) {
	upstream := func(*testing.T, shape) (string, error) { return "", errors.ErrUnsupported }
	if c.upstream != nil {
		upstream = c.upstream(t, d)
	}
	bundle := c.bundle(t, d)
	for _, s := range d.shapes {
		t.Run(s.name, func(t *testing.T) {
			want, there := upstream(t, s)
			got, here := bundle(t, s)
			note(s, c.name, mark(there)+mark(here))
			able := !slices.Contains(s.not, c.name)
			switch {
			case able && here != nil:
				t.Errorf("out of the bundle: %v (from the registry: %v)", here, there)
			case able && !strings.HasSuffix(got, s.prints) && c.name != "skopeo":
				t.Errorf("out of the bundle it is %q, want one that prints %q", got, s.prints)
			case there == nil && here != nil:
				t.Errorf("from the registry it is %q, out of the bundle: %v", want, here)
			case there == nil && strings.HasSuffix(want, s.prints) && got != want:
				t.Errorf("from the registry it is %q, out of the bundle %q", want, got)
			}
		})
	}
}

// mark is one half of a cell of the table.
func mark(err error) string {
	switch {
	case err == nil:
		return "+"
	case errors.Is(err, errors.ErrUnsupported):
		return " "
	default:
		return "-"
	}
}

// table has a row for each shape and a column for each client, in which two signs
// stand for upstream and the bundle.
func table(shapes []shape, cells map[string]map[string]string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%-22s", "shape")
	for _, c := range clients {
		fmt.Fprintf(&text, " | %-14s", c.name)
	}
	for _, s := range shapes {
		fmt.Fprintf(&text, "\n%-22s", s.name)
		for _, c := range clients {
			fmt.Fprintf(&text, " | %-14s", cells[s.name][c.name])
		}
	}
	return text.String()
}

// pulledBy pulls with a containerd, as a kubelet does.
func pulledBy(version string) func(*testing.T, oddDelivery) func(*testing.T, shape) (string, error) {
	return func(t *testing.T, d oddDelivery) func(*testing.T, shape) (string, error) {
		n := startNode(t, version, pause.image(), map[string]string{oddHost: "http://" + d.address + "/v2/" + oddHost})
		return func(t *testing.T, s shape) (string, error) {
			id, err := n.does(t, "pull", s.image())
			return n.runs(t, s, id, err)
		}
	}
}

// importedBy imports the bundle into a containerd, by the command of its README.txt.
func importedBy(version string) func(*testing.T, oddDelivery) func(*testing.T, shape) (string, error) {
	return func(t *testing.T, d oddDelivery) func(*testing.T, shape) (string, error) {
		n := startNode(t, version, pause.image(), nil)
		command := strings.Fields(ctrCommand(t, d.delivery))
		run(t, d.folder, n.client, append([]string{"--address", n.socket}, command[1:]...)...)
		return func(t *testing.T, s shape) (string, error) {
			id, err := n.does(t, "id", s.image())
			return n.runs(t, s, id, err)
		}
	}
}

// runs runs an image that is there, and gives its id and what it prints.
func (n node) runs(t *testing.T, s shape, id string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	printed, err := n.does(t, "run", s.image())
	return id + " " + printed, err
}

// podmanStorage is a storage of podman's own, by its flags.
func podmanStorage(t *testing.T) []string {
	t.Helper()
	// Podman wants the path of its runroot to have 50 bytes at most.
	home, err := os.MkdirTemp("", "podman")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeWhenQuiet(t, home) })
	return []string{
		"--root", filepath.Join(home, "root"), "--runroot", filepath.Join(home, "run"), "--tmpdir", filepath.Join(home, "tmp"),
		"--storage-driver", "vfs", "--events-backend", "none", "--cgroup-manager", "cgroupfs",
	}
}

func podmanPulled(t *testing.T, d oddDelivery) func(*testing.T, shape) (string, error) {
	podman, storage := podmanHere(t)
	return func(t *testing.T, s shape) (string, error) {
		name := d.address + "/" + s.image()
		if _, err := told(try(t, d.folder, podman, append(storage, "pull", "--quiet", "--tls-verify=false", name)...)); err != nil {
			return "", err
		}
		return podmanRuns(t, podman, storage, name)
	}
}

func podmanLoaded(t *testing.T, d oddDelivery) func(*testing.T, shape) (string, error) {
	podman, storage := podmanHere(t)
	program, args := offline(t, podman, append(storage, "load", "-i", d.bundle)...)
	run(t, d.folder, program, args...)
	return func(t *testing.T, s shape) (string, error) { return podmanRuns(t, podman, storage, s.image()) }
}

func podmanHere(t *testing.T) (string, []string) {
	t.Helper()
	asRoot(t)
	return tool(t, "podman"), podmanStorage(t)
}

func podmanRuns(t *testing.T, podman string, storage []string, name string) (string, error) {
	id, err := told(try(t, "", podman, append(storage, "image", "inspect", "--format", "{{.Id}}", name)...))
	if err != nil {
		return "", err
	}
	printed, err := told(try(t, "", podman, append(storage,
		"run", "--rm", "--pull=never", "--network=none", "--ulimit=nofile=256:256", "--ulimit=nproc=256:256", name)...))
	return id + " " + printed, err
}

func skopeoCopiedFromRegistry(t *testing.T, d oddDelivery) func(*testing.T, shape) (string, error) {
	return func(t *testing.T, s shape) (string, error) {
		return skopeoCopied(t, linuxAMD64, "--src-tls-verify=false", "docker://"+d.address+"/"+s.image())
	}
}

func skopeoCopiedFromBundle(t *testing.T, d oddDelivery) func(*testing.T, shape) (string, error) {
	return func(t *testing.T, s shape) (string, error) {
		for _, image := range d.images {
			if image.Name == s.image() {
				return skopeoCopiedOffline(t, d, image, s.artifact)
			}
		}
		return "", errors.New("the bundle does not have it")
	}
}

// skopeoCopiedOffline copies as README.txt says: out of the OCI layout, and where
// that fails as out of an archive of Docker.
func skopeoCopiedOffline(t *testing.T, d oddDelivery, image image, artifact bool) (string, error) {
	t.Helper()
	copied, err := skopeoCopied(t, linuxAMD64, "oci-archive:"+d.bundle+":"+image.Name)
	if err != nil && !artifact {
		copied, err = skopeoCopied(t, linuxAMD64, dockerArchiveName(t, d.delivery, image))
	}
	return copied, err
}

// linuxAMD64 is a platform in parts: system, architecture, variant.
var linuxAMD64 = []string{"linux", "amd64", ""}

// skopeoCopied copies an image for a platform into a folder, and gives the digest of
// its configuration.
func skopeoCopied(t *testing.T, platform []string, from ...string) (string, error) {
	t.Helper()
	skopeo, out := tool(t, "skopeo"), t.TempDir()
	args := []string{
		"--insecure-policy", "--override-os=" + platform[0], "--override-arch=" + platform[1], "--override-variant=" + platform[2],
	}
	args = slices.Concat(args, []string{"copy"}, from, []string{"dir:" + out})
	if !strings.HasPrefix(from[len(from)-1], "docker://") {
		skopeo, args = offline(t, skopeo, args...)
	}
	if _, err := told(try(t, "", skopeo, args...)); err != nil {
		return "", err
	}
	return configOf(t, filepath.Join(out, "manifest.json")), nil
}

// configOf reads a manifest out of a file, and gives the digest of its configuration.
func configOf(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Config struct{ Digest string } }
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	return manifest.Config.Digest
}

func dockerLoaded(t *testing.T, d oddDelivery) func(*testing.T, shape) (string, error) {
	docker, host := tool(t, "docker"), startDocker(t)
	run(t, d.folder, docker, host, "load", "--quiet", "--input", d.bundle)
	return func(t *testing.T, s shape) (string, error) {
		id, err := told(try(t, "", docker, host, "image", "inspect", "--format", "{{.Id}}", s.image()))
		if err != nil {
			return "", err
		}
		printed, err := told(try(t, "", docker, host, "run", "--rm", "--network=none", s.image()))
		return id + " " + printed, err
	}
}

// removeWhenQuiet removes a folder in which a program that has ended may have left
// another one, which cleans up.
func removeWhenQuiet(t *testing.T, folder string) {
	t.Helper()
	if err := await(func() error { return os.RemoveAll(folder) }); err != nil {
		t.Error(err)
	}
}
