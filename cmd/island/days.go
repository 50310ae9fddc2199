package main

import (
	"os"
	"strconv"
	"time"

	"github.com/islandbundle/island/manifests"
)

// today returns the day that reproducible-builds.org's SOURCE_DATE_EPOCH names,
// else the clock's.
func today() (manifests.Date, error) {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return manifests.DateOf(time.Now()), nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || seconds < 0 {
		return manifests.Date{}, usage("", "SOURCE_DATE_EPOCH: %q is not a number of seconds", epoch)
	}
	return manifests.DateOf(time.Unix(seconds, 0)), nil
}

// dayOrToday reads a day, or takes the clock's.
func dayOrToday(text string) (manifests.Date, error) {
	if text == "" {
		return today()
	}
	day, err := manifests.ParseDate(text)
	if err != nil {
		return day, usage("", "--today: %w", err)
	}
	return day, nil
}
