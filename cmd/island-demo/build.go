package main

import (
	"context"
	"runtime"
)

var build = act{
	title: "One signed archive",
	why: "Every byte's place is known before the first is fetched. Blobs come in parallel, are\n" +
		"hashed on the way and written once; a layer that many images share is carried once.",
	play: func(ctx context.Context, s *stage) error {
		args := []string{"build", lockFile, "--mirrors", mirrorsFile, "--key", privateKey, "--table", table}
		return s.run(ctx, 0, append(args, noTools()...)...)
	},
}

// table is the hardware table that the bundles carry: the one for a machine to try
// things on.
const table = "demo"

// noTools leaves out the program for the site where this one is for another
// kind of machine: the release is for linux/amd64.
func noTools() []string {
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		return nil
	}
	return []string{"--without-tools"}
}
