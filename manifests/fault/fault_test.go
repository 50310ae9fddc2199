package fault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

func TestPlaceString(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		place fault.Place
		want  string
	}{
		{fault.Place{}, ""},
		{fault.Place{File: "a.yaml"}, "a.yaml"},
		{fault.Place{File: "a.yaml", Line: 3}, "a.yaml:3"},
		{fault.Place{File: "a.yaml", Line: 3, Column: 7}, "a.yaml:3:7"},
		{fault.Place{File: "a.yaml", Column: 7}, "a.yaml"},
		{fault.Place{File: "a.yaml", Line: 3, Column: 7, Field: "charts[0].name"}, "a.yaml:3:7: charts[0].name"},
		{fault.Place{Field: "charts[0].name"}, "charts[0].name"},
	} {
		if got := test.place.String(); got != test.want {
			t.Errorf("%+v: %q, want %q", test.place, got, test.want)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want string
	}{
		{fault.New(fault.Failure, fault.Upstream, "chart brig", "try again", "no answer"), "chart brig: no answer"},
		{fault.New(fault.Failure, fault.Upstream, "", "", "no answer"), "no answer"},
		{fault.At(fault.Place{File: "a.yaml", Line: 2}, "", "%q is odd", "x"), `a.yaml:2: "x" is odd`},
		{&fault.Error{Object: "chart brig"}, "chart brig"},
		{fault.Explain(fs.ErrNotExist, fault.Usage, fault.Here, "a.yaml", ""), "a.yaml: file does not exist"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestAtIsUsageHere(t *testing.T) {
	t.Parallel()
	err := fault.At(fault.Place{File: "a.yaml"}, "look", "wrong: %w", fs.ErrInvalid)
	if err.Kind != fault.Usage || err.Side != fault.Here || err.Hint != "look" {
		t.Errorf("%+v", err)
	}
	if !errors.Is(err, fs.ErrInvalid) {
		t.Error("the cause is lost")
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	if err := fault.Explain(nil, fault.Failure, fault.Here, "x", "y"); err != nil {
		t.Errorf("success was explained as %v", err)
	}
	inner := fault.New(fault.Refused, fault.Site, "blob", "keep the old one", "wrong digest")
	for name, err := range map[string]error{
		"explained":             inner,
		"explained and wrapped": fmt.Errorf("reading: %w", inner),
		"explained and joined":  errors.Join(errors.New("other"), inner),
	} {
		if got := fault.Explain(err, fault.Failure, fault.Here, "x", "y"); got != err {
			t.Errorf("%s: became %v", name, got)
		}
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	of := func(kind fault.Kind) error { return fault.New(kind, fault.Here, "", "", "kind %d", kind) }
	for _, test := range []struct {
		name string
		err  error
		want int
	}{
		{"success", nil, 0},
		{"an error that nobody explained", errors.New("x"), 1},
		{"failure", of(fault.Failure), 1},
		{"usage", of(fault.Usage), 2},
		{"refused", of(fault.Refused), 3},
		{"preflight", of(fault.PreflightFailed), 4},
		{"unmeasured", of(fault.Unmeasured), 5},
		{"wrapped", fmt.Errorf("a: %w", fmt.Errorf("b: %w", of(fault.Refused))), 3},
		{"refusal before failure", errors.Join(of(fault.Failure), of(fault.Refused)), 3},
		{"failure before usage", errors.Join(of(fault.Usage), of(fault.Failure)), 1},
		{"failure before preflight", errors.Join(of(fault.PreflightFailed), of(fault.Failure)), 1},
		{"preflight before unmeasured", errors.Join(of(fault.Unmeasured), of(fault.PreflightFailed)), 4},
		{"unmeasured before usage", errors.Join(of(fault.Usage), of(fault.Unmeasured)), 5},
		{"an unexplained error beside usage is a failure", errors.Join(of(fault.Usage), errors.New("x")), 1},
		{"a refusal beside an unexplained error", errors.Join(errors.New("x"), of(fault.Refused)), 3},
		{"deep in a tree", fmt.Errorf("x: %w", errors.Join(errors.Join(of(fault.Usage)), fmt.Errorf("y: %w", of(fault.Refused)))), 3},
	} {
		if got := fault.ExitCode(test.err); got != test.want {
			t.Errorf("%s: exit code %d, want %d", test.name, got, test.want)
		}
	}
}

func TestAllKeepsOrder(t *testing.T) {
	t.Parallel()
	a := fault.New(fault.Usage, fault.Here, "a", "", "x")
	b := fault.New(fault.Refused, fault.Site, "b", "", "x")
	c := &fault.Error{Kind: fault.Failure, Object: "c", Err: b} // the cause of an explained error is not told twice
	all := fault.All(fmt.Errorf("top: %w", errors.Join(a, errors.Join(c))))
	if len(all) != 2 || all[0] != a || all[1] != c {
		t.Errorf("%v", all)
	}
}

// TestCounted: one is not many, and none is not one.
func TestCounted(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 files", 1: "1 file", 2: "2 files", 21: "21 files"} {
		if got := fault.Counted(n, "file", "files"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
