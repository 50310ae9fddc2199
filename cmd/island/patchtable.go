package main

import (
	"fmt"
	"strings"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
)

func patchTable(w *printable.Printer, patches []manifests.PatchState) {
	table(w, "#|PATCH|DATE|AGE|SEVERITY|CVSS|VULNERABILITIES|DEADLINE|SUMMARY", func(row func(...string)) {
		for i, p := range patches {
			deadline := orDash(p.Deadline.String())
			if p.Overdue {
				deadline += " OVERDUE"
			}
			score := "-"
			if p.Score > 0 {
				score = fmt.Sprintf("%.1f", p.Score)
			}
			row(fmt.Sprint(i+1), p.ID, p.Date.String(), fmt.Sprintf("%d d", p.AgeDays), string(p.Severity), score,
				orDash(strings.Join(p.Vulnerabilities, ", ")), deadline, firstLine(p.Summary.En))
		}
	})
}
