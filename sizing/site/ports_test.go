package site

import (
	"strings"
	"testing"
)

func TestReadPortsRefuses(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: island/v1\nkind: Ports\nsources: {G: {title: x}}\nrows:\n"
	const row = "  - {id: a-b, from: [x], to: [y], protocol: tcp, ports: [1], source: G, purpose: {en: a, de: b}}\n"
	if _, err := ReadPorts("ports.yaml", []byte(head+row)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no rows":        head,
		"row twice":      head + row + row,
		"port 0":         head + strings.Replace(row, "[1]", "[0]", 1),
		"port 65536":     head + strings.Replace(row, "[1]", "[65536]", 1),
		"other protocol": head + strings.Replace(row, "tcp", "sctp", 1),
		"forwards -1":    head + strings.Replace(row, "source: G", "source: G, forwards: -1", 1),
		"forwards 65536": head + strings.Replace(row, "source: G", "source: G, forwards: 65536", 1),
		"no source":      head + strings.Replace(row, "source: G", "source: X", 1),
		"nobody":         head + strings.Replace(row, "[x]", "[]", 1),
	} {
		if _, err := ReadPorts("ports.yaml", []byte(text)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestLabelsOfPorts holds the source of each row against a list made from the sources:
// the guide names no node ports, and no ports of TURN.
func TestLabelsOfPorts(t *testing.T) {
	t.Parallel()
	ports, err := DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"cassandra-gossip": "WSD", "cassandra-jmx": "WSD", "cassandra-clients": "WSD", "elasticsearch-nodes": "WSD",
		"elasticsearch-clients": "WSD", "minio": "WSD", "minio-second": "WSD", "rabbitmq-cluster": "WSD", "rabbitmq-clients": "WSD",
		"postgresql": "WSD", "assets": "WSD", "kubernetes-api": "K8S", "etcd": "K8S", "kubelet": "K8S",
		"node-ports": "WD", "turn-tcp": "WD", "turn-udp": "WD", "media": "WD",
	}
	for _, row := range ports.Rows {
		if row.Source != want[row.ID] {
			t.Errorf("%s is labelled %s, its source is %q", row.ID, row.Source, want[row.ID])
		}
	}
	if len(ports.Rows) != len(want) {
		t.Errorf("%d rows, the list has %d", len(ports.Rows), len(want))
	}
}
