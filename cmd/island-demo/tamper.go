package main

import (
	"context"
	"io"
	"os"
)

var tamper = act{
	title: "What if somebody changed it on the way?",
	why:   "One bit of many millions is flipped in a copy. That copy has to be refused.",
	play: func(ctx context.Context, s *stage) error {
		const copied = "tampered.tar"
		s.prompt("cp", bundleFile, copied)
		at, err := flip(s.path(bundleFile), s.path(copied))
		if err != nil {
			return err
		}
		s.comment("one bit of byte %d of %s is flipped", at, copied)
		if err := s.run(ctx, 3, "verify", copied, "--key", publicKey); err != nil {
			return err
		}
		s.comment("exit status 3: refused, as it has to be")
		return os.Remove(s.path(copied))
	},
}

// flip copies a file and flips one bit nine tenths into the copy, which is
// among the layers. It gives the offset of the byte.
func flip(from, to string) (int64, error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	defer out.Close()
	size, err := io.Copy(out, in)
	if err != nil {
		return 0, err
	}
	at := size / 10 * 9
	octet := make([]byte, 1)
	if _, err := out.ReadAt(octet, at); err != nil {
		return 0, err
	}
	octet[0] ^= 1
	if _, err := out.WriteAt(octet, at); err != nil {
		return 0, err
	}
	return at, out.Close()
}
