package main

import (
	"strconv"

	"github.com/spf13/pflag"

	"github.com/islandbundle/island/sizing/site"
)

// numberType is what pflag calls the value of a number.
const numberType = "number"

// number is a count as a flag, in any of the ways that people write one.
type number[T ~int | ~int64] struct{ into *T }

// numberVar adds a flag that takes a count. T is what the site document has.
func numberVar[T ~int | ~int64](flags *pflag.FlagSet, into *T, name string, fallback T, help string) {
	*into = fallback
	flags.Var(number[T]{into}, name, help)
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
