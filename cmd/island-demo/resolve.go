package main

import "context"

var resolve = act{
	title: "Names become content",
	why: "Charts are fetched and rendered, the images in them found, tags looked up. Everything\n" +
		"is pinned by digest and size in one lock file, and nothing is chosen after that.",
	play: func(ctx context.Context, s *stage) error {
		return s.run(ctx, 0, "resolve", "-f", releaseFile, "--mirrors", mirrorsFile)
	},
}
