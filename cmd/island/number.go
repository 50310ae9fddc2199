package main

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/islandbundle/island/sizing/site"
)

// What pflag calls the value of a number, and of a share.
const (
	numberType  = "number"
	percentType = "percent"
)

// number is a count as a flag, in any of the ways that people write one.
type number[T ~int | ~int64] struct{ into *T }

// percent is a number of hundredths as a flag, with its sign or without.
type percent struct{ number[int64] }

// numberVar adds a flag that takes a count. T is what the site document has.
func numberVar[T ~int | ~int64](flags *pflag.FlagSet, into *T, name string, fallback T, help string) {
	*into = fallback
	flags.Var(number[T]{into}, name, help)
}

// percentVar adds a flag that takes a share.
func percentVar(flags *pflag.FlagSet, into *int64, name string, fallback int64, help string) {
	*into = fallback
	flags.Var(percent{number[int64]{into}}, name, help)
}

// Set reads what [site.ParseCount] does.
func (n number[T]) Set(text string) error {
	count, err := site.ParseCount(text)
	*n.into = T(count)
	return err
}

func (n number[T]) String() string {
	if n.into == nil { // pflag asks a zero value what it looks like
		return "0"
	}
	return strconv.FormatInt(int64(*n.into), 10)
}

// Type is what stands for the value in help.
func (number[T]) Type() string { return numberType }

// Set reads 80, 80% and "80 %".
func (p percent) Set(text string) error {
	return p.number.Set(strings.TrimSuffix(strings.TrimSpace(text), "%"))
}

// Type is what stands for the value in help.
func (percent) Type() string { return percentType }
