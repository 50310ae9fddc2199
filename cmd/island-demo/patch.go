package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"

	"github.com/islandbundle/island/internal/fixture"
	"github.com/islandbundle/island/manifests"
)

//go:embed patch.yaml
var patchDocument []byte

// The files of the second delivery.
const (
	patchFile     = "patch.yaml"
	patchLockFile = "patched.lock.json"
	deltaFile     = "fixture-2026.1.1-amd64.delta.tar" // as island names it by itself
	patchedFile   = "fixture-2026.1.1-amd64.tar"       // likewise
)

var patch = act{
	title: "Weeks later: two holes have to be closed",
	why: "Upstream has a fixed wire-server. A patch document says so; the delivery is a delta, with\n" +
		"only what the site lacks, and makes there, to the byte, what a full build would be.",
	play: func(ctx context.Context, s *stage) error {
		if _, err := s.release(ctx, fixture.Options{Revision: 1}); err != nil {
			return err
		}
		if err := os.WriteFile(s.path(patchFile), patchDocument, 0o644); err != nil {
			return err
		}
		for _, command := range [][]string{
			{"patches", "-f", releaseFile, "-p", patchFile},
			{"resolve", "-q", "-f", releaseFile, "-p", patchFile, "--mirrors", mirrorsFile, "-o", patchLockFile},
			{"diff", lockFile, patchLockFile},
			append([]string{
				"build", "-q", patchLockFile, "--mirrors", mirrorsFile, "--key", privateKey, "--table", table, "--base", bundleFile,
			}, noTools()...),
		} {
			if err := s.run(ctx, 0, command...); err != nil {
				return err
			}
		}
		s.comment("%s cross the gap, where a full build would be %s", s.size(deltaFile), s.size(bundleFile))
		if err := s.run(ctx, 0, "apply", "-q", bundleFile, deltaFile, "--key", publicKey); err != nil {
			return err
		}
		if err := s.run(ctx, 0, "verify", "-q", patchedFile, "--key", publicKey, "--state", "site.json"); err != nil {
			return err
		}
		s.comment("the site remembers: the older bundle, well signed as it is, gets in no more")
		return s.run(ctx, 3, "verify", "-q", bundleFile, "--key", publicKey, "--state", "site.json")
	},
}

// size returns a file's size for people.
func (s *stage) size(name string) string {
	info, err := os.Stat(s.path(name))
	if err != nil {
		return fmt.Sprint(err)
	}
	return manifests.Bytes(info.Size()).String()
}
