package preflight

import (
	"slices"
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// TestDefaultPorts holds the table to what the field's sources list.
func TestDefaultPorts(t *testing.T) {
	t.Parallel()
	p, err := site.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		from, to, protocol string
		ports              []int
	}{
		{"cassandra", "cassandra", "tcp", []int{7000, 7199}},
		{"kube-node", "cassandra", "tcp", []int{9042, 9160}},
		{"elasticsearch", "elasticsearch", "tcp", []int{9300}},
		{"kube-node", "elasticsearch", "tcp", []int{9200}},
		{"kube-node", "minio", "tcp", []int{9000, 9092}},
		{"rmq-cluster", "rmq-cluster", "tcp", []int{4369, 25672}},
		{"kube-node", "rmq-cluster", "tcp", []int{5671, 5672}},
		{"postgresql", "postgresql", "tcp", []int{5432}},
		{"minio", "assethost", "tcp", []int{8080}},
		{"kube-node", "restund", "tcp", []int{3478, 5349}},
		{"kube-node", "coturn", "udp", []int{3478, 32768, 46883, 60999}},
	} {
		hosts := []facts.Host{{Name: "a", Groups: []string{want.from}}, {Name: "b", Groups: []string{want.to}}}
		var got []int
		for _, w := range Wants(p, hosts) {
			if w.From == "a" && w.To == "b" && w.Protocol == want.protocol {
				got = append(got, w.Port)
			}
			if w.From == w.To {
				t.Errorf("host %s speaks to itself", w.From)
			}
		}
		slices.Sort(got)
		slices.Sort(want.ports)
		if !slices.Equal(got, want.ports) {
			t.Errorf("%s to %s over %s: ports are %v, want %v", want.from, want.to, want.protocol, got, want.ports)
		}
	}
}

func TestMediaAvoidsNodePorts(t *testing.T) {
	t.Parallel()
	p, err := site.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range portRow(p, "media").Ports {
		if port >= 30000 && port <= 32767 {
			t.Errorf("media port %d is a node port", port)
		}
	}
}

// TestPurposesAreInTheCatalogues holds the catalogues to the table, which travels
// and has words of its own: a further language finds them where all others are. A
// table with other words for a row keeps them.
func TestPurposesAreInTheCatalogues(t *testing.T) {
	t.Parallel()
	p, err := site.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Rows {
		row := &p.Rows[i]
		for tag, purpose := range row.Purpose {
			l, err := words.All().Parse(tag)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.Word("preflight.port." + row.ID + ".purpose"); got != purpose {
				t.Errorf("%s: the catalogue of %s has %q, the table %q", row.ID, tag, got, purpose)
			}
		}
	}
	row := portRow(p, "media")
	row.Purpose = map[string]string{"en": "calls"}
	if text := purposeOf(row); text.Code != "" || words.All()[1].Text(text) != "calls" {
		t.Errorf("a row of a customer's own is told as %+v", text)
	}
}
