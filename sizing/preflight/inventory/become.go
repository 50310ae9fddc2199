package inventory

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
)

// Become is how the inventory has root given to the user who logs in, as far as it
// is known here: by sudo.
type Become struct {
	Wanted  bool   // ansible_become
	Program string // sudo's name or path; empty: sudo
	// Password is the one for sudo, if it is neither a template nor encrypted. It is
	// never printed. One for another program is not among what is read.
	Password string
	// Unknown says what of it is not done here, so that root cannot be had.
	Unknown message.Text
}

// sudoNames are the names of the one plugin that is known.
var sudoNames = []string{"sudo", "ansible.builtin.sudo", "ansible.legacy.sudo"}

// sudoProgram is a sudo as a shell takes it as it stands.
var sudoProgram = regexp.MustCompile(`^(/[A-Za-z0-9_.+/-]*/)?sudo$`)

// sudoFlags are those that change nothing for a program that reads no variable and
// no file of the user's: home, input, questions, variables, login.
var sudoFlags = regexp.MustCompile(`^(-[HSnEkiPB]+|--(set-home|stdin|non-interactive|preserve-env(=.*)?|login|preserve-groups|bell))$`)

// become reads the variables of Ansible's privilege escalation.
func (h *Host) become() Become {
	r := becomeReader{host: h}
	var b Become
	if wanted := r.text("ansible_become"); wanted != "" && !untruth(wanted) || !r.unknown.IsZero() {
		if b.Wanted = true; !truth(wanted) {
			r.otherwise("ansible_become", wanted)
		}
	}
	bySudo := r.bySudo()
	if program := r.text("ansible_become_exe", "ansible_sudo_exe"); sudoProgram.MatchString(program) {
		b.Program = program
	} else if program != "" {
		r.otherwise("ansible_become_exe", program)
	}
	if user := r.text("ansible_become_user", "ansible_sudo_user"); user != "" && user != "root" {
		r.otherwise("ansible_become_user", user)
	}
	flags := r.text("ansible_become_flags", "ansible_sudo_flags")
	if words, err := SplitArgs(flags); err != nil || slices.ContainsFunc(words, func(w string) bool { return !sudoFlags.MatchString(w) }) {
		r.otherwise("ansible_become_flags", flags)
	}
	b.Unknown = r.unknown
	if bySudo {
		b.Password = r.password()
	}
	return b
}

// becomeReader reads variables, and keeps the first reason why they say nothing that
// is known here.
type becomeReader struct {
	host    *Host
	unknown message.Text
}

// text returns a variable; empty where it is not known.
func (r *becomeReader) text(names ...string) string {
	o, err := r.host.option(names...)
	switch v := o.value.(type) {
	case nil:
	case bool:
		return strconv.FormatBool(v)
	default:
		var text string
		if text, err = r.host.textOf(o); err == nil {
			return unquoted(text)
		}
	}
	if err != nil {
		r.because("facts.reach.become-unknown", message.Args{"variable": names[0]})
	}
	return ""
}

// bySudo says whether the method is sudo, which it is where none is given.
func (r *becomeReader) bySudo() bool {
	own := becomeReader{host: r.host}
	method := own.text("ansible_become_method")
	switch {
	case !own.unknown.IsZero():
		r.because(own.unknown.Code, own.unknown.Args)
		return false
	case method != "" && !slices.Contains(sudoNames, method):
		r.because("facts.reach.become-method", message.Args{"method": method})
		return false
	}
	return true
}

// password returns sudo's password. One that is not known is as one that is not
// given: sudo says whether it wants one.
func (r *becomeReader) password() string {
	unknown := r.unknown
	defer func() { r.unknown = unknown }()
	return r.text(passwordNames...)
}

// passwordNames are the variables of sudo's password.
var passwordNames = []string{"ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"}

// PasswordClosed reports whether the inventory gives the password for sudo, and it is
// not known here: it is encrypted with Ansible Vault, or a template.
func (h *Host) PasswordClosed() bool {
	_, err := h.option(passwordNames...)
	return err != nil
}

func (r *becomeReader) otherwise(variable, value string) {
	r.because("facts.reach.become-other", message.Args{"variable": variable, "value": value})
}

func (r *becomeReader) because(code string, args message.Args) {
	if r.unknown.IsZero() {
		r.unknown = message.Of(code, args)
	}
}

// untruth follows Ansible's own list of words.
func untruth(s string) bool {
	return slices.Contains([]string{"n", "no", "off", "0", "false", "f"}, strings.ToLower(s))
}
