// Package testsite is a whole site on one machine: hosts in network namespaces, each
// with a real sshd, its own addresses, host name, processes and files, and the
// site's services, which are real as well. Its tests run `island preflight` there
// against the good site, against one that is good and untidy, and against each
// fault, injected for real.
//
// It takes root and the Debian packages that .ci/run names. Nothing is written
// outside the namespaces but control groups, which are taken away.
package testsite
