// Package inventory reads an Ansible inventory as far as it is data: files in
// the INI and YAML forms, folders of them, and the group_vars and host_vars
// beside them. Inventory scripts and plugins are not run, templates are not
// computed (but for a variable that stands for another), and encrypted values
// stay closed.
//
// The rules are those of Ansible's own documentation ("How to build your
// inventory", "Using variables: understanding variable precedence") and are
// compared with `ansible-inventory --list` in this package's tests.
package inventory
