package main

import (
	"context"
	"runtime"
)

const reportFile = "preflight.html"

var preflight = act{
	title: "Before anything is installed: will this machine do?",
	why: "The probe, the hardware table and the table of ports come out of the bundle. On a site\n" +
		"an Ansible inventory names all machines, and they dial each other; here it is this one.",
	play: func(ctx context.Context, s *stage) error {
		if runtime.GOOS != "linux" {
			s.comment("preflight runs on the island, on Linux")
			return nil
		}
		code, err := s.runFor(ctx, []int{0, 4, 5}, "preflight", "-q", "--local", "--group", "demo", "--bundle", patchedFile,
			"--key", publicKey, "--html", reportFile)
		if err == nil && code != 0 {
			s.comment("exit status %d: not every machine is one for Wire; the list says what to do", code)
		}
		return err
	},
}
