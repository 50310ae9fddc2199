package main

import "context"

var keygen = act{
	title: "A key pair",
	why: "Once for each sender. The private key is encrypted; its passphrase comes from the\n" +
		"terminal, a file, or COSIGN_PASSWORD, which this demo sets to \"" + passphrase + "\".",
	play: func(ctx context.Context, s *stage) error {
		s.prompt("export COSIGN_PASSWORD=" + passphrase)
		return s.run(ctx, 0, "keygen")
	},
}
