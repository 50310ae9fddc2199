// Package nearest finds the name that somebody has probably meant.
package nearest

import (
	"strings"
	"unicode/utf8"
)

// maxRunes bounds the names that are compared: nobody mistypes one that is longer,
// and the work grows with the square of it.
const maxRunes = 80

// Of returns the one of some known names that is most like a name, and nothing
// where none is like it: more than a third of its letters would have to be put
// in, left out, changed or exchanged with their neighbour. Capitals count as
// small letters. Of several that are as like, the first is returned.
func Of(name string, known []string) string {
	best, least := "", utf8.RuneCountInString(name)/3+1
	if len(name) > maxRunes*utf8.UTFMax || utf8.RuneCountInString(name) > maxRunes {
		return ""
	}
	for _, candidate := range known {
		if candidate == name || utf8.RuneCountInString(candidate) > maxRunes {
			continue
		}
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// DidYouMean asks for the known name that is most like a name, with what stands
// before both; it is empty where none is like it.
func DidYouMean(before, name string, known []string) string {
	if like := Of(name, known); like != "" {
		return "did you mean " + before + like + "?"
	}
	return ""
}

// distance is the number of letters to put in, leave out, change or exchange with
// their neighbour (optimal string alignment).
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	before, last, row := make([]int, len(to)+1), make([]int, len(to)+1), make([]int, len(to)+1)
	for j := range last {
		last[j] = j
	}
	for i := range from {
		row[0] = i + 1
		for j := range to {
			cost := 1
			if from[i] == to[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && from[i] == to[j-1] && from[i-1] == to[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(to)]
}
