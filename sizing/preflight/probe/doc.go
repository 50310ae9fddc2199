// Package probe reads facts off one Linux host, and lets hosts try to speak to
// each other: it is all of island-probe but its command line.
//
// It reads /proc, /sys and a few files of /etc under [System.Root], so that
// recorded trees stand for hosts in tests, and asks the kernel for what no
// file holds. It writes one small file, to time fsync, and takes it away
// again; it changes nothing else, runs no other program, and needs no root:
// what it may not read, the facts say. Everything it does has a time limit.
//
// The package links neither Helm nor anything of container registries nor
// net/http, so that the binary stays small enough to be sent along.
package probe
