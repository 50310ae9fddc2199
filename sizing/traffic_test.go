package sizing

import (
	"math/rand/v2"
	"testing"

	"github.com/islandbundle/island/sizing/site"
)

// TestConferenceByHand holds the formula against a table that was worked out by
// hand from the guide: n × (50 + 350) in, n × (min(n,5) × 50 + (n ≥ 9 ? 9 : n−1) × 350) out.
func TestConferenceByHand(t *testing.T) {
	rule := embeddedTable(t, "guide").Rules.Conference
	for _, want := range []struct {
		n       int64
		in, out site.Kbps
	}{
		{1, 400, 50},
		{2, 800, 900},
		{5, 2_000, 8_250},
		{6, 2_400, 12_000},
		{8, 3_200, 21_600},
		{9, 3_600, 30_600},
		{10, 4_000, 34_000},
		{50, 20_000, 170_000},
		{500, 200_000, 1_700_000},
	} {
		if got := rule.Of(want.n, want.n); got != (Traffic{want.in, want.out}) {
			t.Errorf("n = %d: %+v, want %+v", want.n, got, want)
		}
	}
}

// TestConferenceFormula holds every n up to 2000 against the formula as the
// guide has it, and each step against the one before.
func TestConferenceFormula(t *testing.T) {
	rule := embeddedTable(t, "guide").Rules.Conference
	before := Traffic{}
	for n := int64(1); n <= 2000; n++ {
		videos := n - 1
		if n >= 9 {
			videos = 9
		}
		want := Traffic{site.Kbps(n * (50 + 350)), site.Kbps(n * (min(n, 5)*50 + videos*350))}
		got := rule.Of(n, n)
		if got != want {
			t.Fatalf("n = %d: %+v, want %+v", n, got, want)
		}
		if got.In <= before.In || got.Out <= before.Out {
			t.Fatalf("n = %d needs no more than %d", n, n-1)
		}
		before = got
		for _, video := range []int64{0, n / 3, n / 2} {
			if less := rule.Of(n, video); less.In > got.In || less.Out > got.Out {
				t.Fatalf("n = %d with %d videos needs more than with all", n, video)
			}
		}
		if rule.Relayed(n, n, n).Out != got.In+got.Out {
			t.Fatalf("n = %d: TURN relays %v of %v", n, rule.Relayed(n, n, n), got)
		}
	}
	if rule.Of(0, 0) != (Traffic{}) || rule.Relayed(5, 5, 0) != (Traffic{}) {
		t.Error("nobody takes bandwidth")
	}
}

// TestWorstIsABound spreads random conferences as they come, each onto the
// server that then carries least, and wants the fullest within the bound.
func TestWorstIsABound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		servers := 1 + random.IntN(6)
		loads := make([]int64, servers)
		total, largest := int64(0), int64(0)
		for range random.IntN(30) {
			load := 1 + random.Int64N(200_000)
			total, largest = total+load, max(largest, load)
			least := 0
			for i := range loads {
				if loads[i] < loads[least] {
					least = i
				}
			}
			loads[least] += load
		}
		bound := Worst(total, largest, servers)
		for _, load := range loads {
			if load > bound {
				t.Fatalf("%v on %d servers: more than the bound %d", loads, servers, bound)
			}
		}
		if bound < largest || bound > total {
			t.Fatalf("bound %d is not between the largest %d and the total %d", bound, largest, total)
		}
	}
}
