package preflight

import (
	"reflect"
	"testing"

	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// TestLinksAreSummarised wants what each bad port is for, and takes a sampled
// port that another program has by chance for one that was not tried.
func TestLinksAreSummarised(t *testing.T) {
	t.Parallel()
	ports, err := site.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	link := func(protocol string, port int, row string, outcome facts.Outcome) facts.Link {
		return facts.Link{From: "a", To: "b", Protocol: protocol, Port: port, Rows: []string{row}, Outcome: outcome}
	}
	got := summariseLinks([]facts.Link{
		link("tcp", 9042, "cassandra-clients", facts.TimedOut), link("tcp", 9160, "cassandra-clients", facts.OK),
		link("tcp", 6443, "kubernetes-api", facts.InUse), link("udp", 46883, "media", facts.InUse), link("mtu", 0, "", facts.OK),
	}, ports)
	want := []LinkSummary{{From: "a", To: "b", Tried: 4, OK: 1, Bad: []BadLink{
		{Protocol: "tcp", Port: 9042, Purpose: purposeOf(portRow(ports, "cassandra-clients")), Outcome: facts.TimedOut},
		{Protocol: "tcp", Port: 6443, Purpose: purposeOf(portRow(ports, "kubernetes-api")), Outcome: facts.InUse},
		{Protocol: "udp", Port: 46883, Purpose: purposeOf(portRow(ports, "media")), Outcome: facts.Unmade},
	}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
