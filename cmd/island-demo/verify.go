package main

import "context"

var verify = act{
	title: "On the site: is it what was sent?",
	why: "The signature first, then every header, every byte and every image. It needs the\n" +
		"archive and the sender's public key, and no network.",
	play: func(ctx context.Context, s *stage) error {
		return s.run(ctx, 0, "verify", bundleFile, "--key", publicKey)
	},
}
