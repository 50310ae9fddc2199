//go:build linux

package survey

import (
	"net/netip"
	"testing"

	"github.com/islandbundle/island/sizing/preflight/facts"
)

func nic(name, driver string, prefixes ...string) facts.NIC {
	n := facts.NIC{Name: name, Driver: driver}
	for _, prefix := range prefixes {
		n.Addresses = append(n.Addresses, facts.Address{Prefix: prefix})
	}
	return n
}

func TestInternal(t *testing.T) {
	t.Parallel()
	nics := []facts.NIC{
		nic("docker0", "", "172.17.0.1/16"), nic("eth0", "virtio_net", "fe80::1/64", "2001:db8::5/64", "10.0.0.5/24"), nic("eth1", "virtio_net",
			"10.1.0.5/24"),
	}
	for target, want := range map[string]string{
		"10.1.0.5":      "10.1.0.5",    // what ssh went to
		"2001:db8::5":   "2001:db8::5", // likewise
		"203.0.113.7":   "10.0.0.5",    // an address that is translated
		"alias.invalid": "10.0.0.5",    // an alias of ssh's configuration
	} {
		if got := internal(t.Context(), target, nics); got != want {
			t.Errorf("of a host reached as %s it is %q, want %q", target, got, want)
		}
	}
	if got := internal(t.Context(), "h.invalid", nics[:1]); got != "172.17.0.1" {
		t.Errorf("of a host with a bridge alone it is %q", got)
	}
	if got := internal(t.Context(), "h.invalid", nil); got != "" {
		t.Errorf("of a host without addresses it is %q", got)
	}
}

func TestWayOfThisMachine(t *testing.T) {
	t.Parallel()
	mtu, err := mtuTowards(netip.MustParseAddr("127.0.0.1"))
	if err != nil || mtu < 1280 || mtu > maxPacket {
		t.Errorf("MTU towards loopback is %d, %v", mtu, err)
	}
	link := way(t.Context(), Host{Name: "h"})
	if link.Outcome != facts.Unmade || link.Detail.IsZero() || link.From != facts.AdminHost {
		t.Errorf("way to a host without address is %+v", link)
	}
}
