// Package site is a whole site on one machine: hosts in network namespaces, each
// with a real sshd, its own addresses, host name, processes and files, and the
// site's services. Its tests run `island preflight` there against the good site
// and against each fault, injected for real.
//
// It takes root, and ip, nft, sshd, sudo, mkfs.ext4 and losetup. Nothing is
// written outside the namespaces but control groups, which are taken away.
package site
