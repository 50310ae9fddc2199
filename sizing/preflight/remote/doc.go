// Package remote speaks to a probe on another host over the system's OpenSSH
// client, so that the operator's own configuration, agent, jump hosts and
// known hosts hold, as they do for Ansible.
//
// One connection does everything: a small shell script makes a folder, takes
// the probe from its standard input, checks its SHA-256, runs it and takes it
// away again, whatever way it ends. Nothing is installed, and a probe never
// outlives its connection. What comes back is bounded and believed in nothing:
// the host may be hostile.
package remote
