package main

import "context"

var build = act{
	title: "One signed archive",
	why: "Every byte's place is known before the first is fetched. Blobs come in parallel, are\n" +
		"hashed on the way and written once; a layer that many images share is carried once.",
	play: func(ctx context.Context, s *stage) error {
		return s.run(ctx, 0, "build", lockFile, "--mirrors", mirrorsFile, "--key", privateKey)
	},
}
