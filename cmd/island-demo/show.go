package main

import "context"

var show = act{
	title: "Why is that in there?",
	why: "Each image says what needs it, and what was left out says why. Only the front of the\n" +
		"archive is read, however large it is.",
	play: func(ctx context.Context, s *stage) error {
		return s.run(ctx, 0, "show", bundleFile, "--key", publicKey, "--why", "brig")
	},
}
