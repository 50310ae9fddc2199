//go:build linux

package probe

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/islandbundle/island/sizing/preflight/facts"
)

// addresses asks the kernel for all addresses with their flags (rtnetlink(7)).
func (s System) addresses() (map[int][]facts.Address, error) {
	if s.Addresses != nil {
		return s.Addresses()
	}
	data, err := syscall.NetlinkRIB(syscall.RTM_GETADDR, syscall.AF_UNSPEC)
	if err != nil {
		return nil, err
	}
	messages, err := syscall.ParseNetlinkMessage(data)
	if err != nil {
		return nil, err
	}
	result := map[int][]facts.Address{}
	for _, message := range messages {
		if message.Header.Type != syscall.RTM_NEWADDR || len(message.Data) < syscall.SizeofIfAddrmsg {
			continue
		}
		attributes, err := syscall.ParseNetlinkRouteAttr(&message)
		if err != nil {
			return nil, err
		}
		bits, flags := int(message.Data[1]), uint32(message.Data[2])
		index := int(binary.NativeEndian.Uint32(message.Data[4:]))
		var address netip.Addr
		for _, attribute := range attributes {
			switch attribute.Attr.Type {
			case unix.IFA_LOCAL:
				address, _ = netip.AddrFromSlice(attribute.Value)
			case unix.IFA_ADDRESS: // the peer's on a point-to-point link, where IFA_LOCAL is its own
				if !address.IsValid() {
					address, _ = netip.AddrFromSlice(attribute.Value)
				}
			case unix.IFA_FLAGS:
				if len(attribute.Value) == 4 {
					flags = binary.NativeEndian.Uint32(attribute.Value)
				}
			}
		}
		if address.IsValid() && len(result[index]) < 64 {
			result[index] = append(result[index], facts.Address{
				Prefix: netip.PrefixFrom(address, bits).String(), Dynamic: flags&unix.IFA_F_PERMANENT == 0,
			})
		}
	}
	return result, nil
}

// nftables counts the tables of nftables in this network namespace, which
// takes CAP_NET_ADMIN.
func (s System) nftables() (int, error) {
	if s.NFTables != nil {
		return s.NFTables()
	}
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return 0, err
	}
	defer unix.Close(socket)
	limit := unix.NsecToTimeval(int64(2 * time.Second))
	if err := unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return 0, err
	}
	// struct nlmsghdr, then struct nfgenmsg: any family, version 0.
	request := make([]byte, 20)
	binary.NativeEndian.PutUint32(request[0:], 20)
	binary.NativeEndian.PutUint16(request[4:], unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETTABLE)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	if err := unix.Sendto(socket, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	tables := 0
	buffer := make([]byte, 1<<16)
	for range 64 {
		n, _, err := unix.Recvfrom(socket, buffer, 0)
		if err != nil {
			return 0, err
		}
		messages, err := syscall.ParseNetlinkMessage(buffer[:n])
		if err != nil {
			return 0, err
		}
		for _, message := range messages {
			switch message.Header.Type {
			case unix.NLMSG_DONE:
				return tables, nil
			case unix.NLMSG_ERROR:
				if code := int32(binary.NativeEndian.Uint32(message.Data)); code != 0 {
					return 0, syscall.Errno(-code)
				}
				return tables, nil
			default:
				tables++
			}
		}
	}
	return tables, nil
}
