//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// todaysWay does a delivery as scripts do it now: skopeo copies one image after
// the other into an archive of its own, tar and gzip make one file of them. The
// times and counts of all programs are added up.
func (b *bench) todaysWay(ctx context.Context, w *world) (usage, int64, error) {
	skopeo, err := exec.LookPath("skopeo")
	if err != nil {
		return usage{}, 0, err
	}
	out := filepath.Join(w.dir, "today")
	if err := settle(out); err != nil {
		return usage{}, 0, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return usage{}, 0, err
	}
	listed, err := runChild(ctx, b.islandCommand("show", w.lock(), "--images", "--output", "json"))
	if err != nil {
		return usage{}, 0, err
	}
	var images []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(listed.stdout, &images); err != nil {
		return usage{}, 0, err
	}
	var all usage
	for i, image := range images {
		from := "docker://" + strings.TrimPrefix(w.url, "http://") + "/" + registryName(image.Name)
		to := fmt.Sprintf("docker-archive:%s/image-%03d.tar", out, i)
		r, err := runChild(
			ctx,
			command{
				path: skopeo,
				args: []string{"copy", "--quiet", "--src-tls-verify=false", "--override-os=linux", "--override-arch=amd64", from, to},
			},
		)
		if err != nil {
			return usage{}, 0, err
		}
		all = all.plus(r.usage)
	}
	archive := out + ".tgz"
	r, err := runChild(ctx, command{path: "tar", args: []string{"-C", w.dir, "-czf", archive, "today"}})
	if err != nil {
		return usage{}, 0, err
	}
	info, err := os.Stat(archive)
	if err != nil {
		return usage{}, 0, err
	}
	return all.plus(r.usage), info.Size(), nil
}

func (u usage) plus(v usage) usage {
	return usage{
		wall: u.wall + v.wall, cpu: u.cpu + v.cpu, peak: max(u.peak, v.peak),
		read: u.read + v.read, written: u.written + v.written, toDisk: u.toDisk + v.toDisk,
	}
}

// registryName returns an image's name at the fixture's server. Of a tag and a
// digest the digest is taken: skopeo refuses to be told both.
func registryName(name string) string {
	host, rest, _ := strings.Cut(name, "/")
	if tagged, digest, both := strings.Cut(rest, "@"); both {
		repository, _, _ := strings.Cut(tagged, ":")
		rest = repository + "@" + digest
	}
	return strings.ReplaceAll(host, ":", "-") + "/" + rest
}
