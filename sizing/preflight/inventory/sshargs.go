package inventory

import (
	"fmt"
	"strings"
)

// The options of OpenSSH's client in one letter (ssh(1)): those with a value, and
// those without.
const (
	sshWithValue = "bceilmopBDEFIJLOPQRSWw"
	sshPlain     = "1246afgknqstvxyACGKMNTVXY"
	// sshOtherUse are those with which ssh does something else than run a command and
	// hand it input, or goes away.
	sshOtherUse = "fnsGNVOQW"
	// sshChatter are left out: they change how much ssh says, and where, which tells how
	// it ended; or leave a connection behind.
	sshChatter = "qvyME"
)

// SplitArgs divides arguments for ssh as Ansible does, by Python's shlex, without
// running a shell.
func SplitArgs(text string) ([]string, error) {
	words, err := split(text, false)
	var args []string
	for _, word := range words {
		if word = strings.TrimSpace(word); word != "" {
			args = append(args, word)
		}
	}
	return args, err
}

// optionsOnly returns the arguments that are passed on. What is no option would be
// taken for the host to go to, and all that follows for its command.
func optionsOnly(args []string) ([]string, error) {
	var kept []string
	for i := 0; i < len(args); i++ {
		word := args[i]
		if len(word) < 2 || word[0] != '-' || word == "--" {
			return nil, fmt.Errorf("%.80q is no option: ssh would take it for the host to go to", word)
		}
		plain, with, value, err := cluster(word)
		if err != nil {
			return nil, err
		}
		if with != "" && value == "" {
			if i++; i == len(args) {
				return nil, fmt.Errorf("-%s wants a value after it", with)
			}
			value = args[i]
		}
		for _, letter := range plain {
			kept = append(kept, "-"+string(letter))
		}
		if with != "" && !strings.Contains(sshChatter, with) {
			kept = append(kept, "-"+with, value)
		}
	}
	return kept, nil
}

// cluster takes apart a word such as -Cp22: options without a value that are passed
// on, at most one with a value, and that value where it is part of the word.
func cluster(word string) (plain, with, value string, err error) {
	for i, letter := range word[1:] {
		switch rest := word[1+i+len(string(letter)):]; {
		case strings.ContainsRune(sshOtherUse, letter):
			return "", "", "", fmt.Errorf("with -%c ssh runs no command on the host", letter)
		case strings.ContainsRune(sshWithValue, letter):
			return plain, string(letter), rest, nil
		case strings.ContainsRune(sshChatter, letter):
		case strings.ContainsRune(sshPlain, letter):
			plain += string(letter)
		default:
			return "", "", "", fmt.Errorf("%.80q is no option of ssh", word)
		}
	}
	return plain, "", "", nil
}
