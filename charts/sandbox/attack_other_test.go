//go:build !linux

package sandbox

var replyOrAttack = reply
