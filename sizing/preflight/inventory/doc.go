// Package inventory reads an Ansible inventory as far as it is data: files in
// the INI and YAML forms, folders of them, lists of hosts, and the group_vars and
// host_vars beside them. Inventory scripts and plugins are not run, and encrypted
// values stay closed. Templates are computed where they are names, parts of values
// and plain filters; one that is left is refused where it would decide how a host is
// reached or judged.
//
// The rules are those of Ansible's own documentation ("How to build your
// inventory", "Using variables: understanding variable precedence") and of its plugin
// for connections by ssh. What is read is compared with `ansible-inventory --list` in
// this package's tests, and what ssh is told with what Ansible tells it in those of
// cmd/island.
package inventory
