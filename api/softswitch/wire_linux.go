package softswitch

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// interfaceWire is a Linux network interface, by a raw packet socket.
type interfaceWire struct {
	name string

	mu sync.RWMutex // held shared while the socket is used
	fd int          // -1 when closed
}

// receiveTimeout is how long a read waits before it looks whether it should end, in microseconds.
const receiveTimeout = 50_000

func openInterface(name string) (Wire, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", name, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(htons(unix.ETH_P_ALL)))
	if err != nil {
		return nil, fmt.Errorf("interface %s: raw socket: %w", name, err)
	}
	if err := setUp(fd, ifi.Index); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("interface %s: %w", name, err)
	}
	return &interfaceWire{name: name, fd: fd}, nil
}

func setUp(fd, index int) error {
	return errors.Join(
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: index}),
		unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP,
			&unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}),
		// The kernel takes 802.1Q tags out of received frames; this gets them back.
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: receiveTimeout}),
	)
}

func htons(v uint16) uint16 { return v<<8 | v>>8 }

// LinkUp is the kernel's word; an interface that cannot tell counts as up.
func (w *interfaceWire) LinkUp() bool {
	b, err := os.ReadFile("/sys/class/net/" + w.name + "/operstate")
	if err != nil {
		return true
	}
	state := strings.TrimSpace(string(b))
	return state == "up" || state == "unknown"
}

func (w *interfaceWire) Receive(ctx context.Context, rx func(pkt []byte) error) error {
	const room = 4 // for a tag to be put back
	b := make([]byte, room+maxPacket)
	oob := make([]byte, 256)
	for ctx.Err() == nil {
		w.mu.RLock()
		if w.fd < 0 {
			w.mu.RUnlock()
			return nil
		}
		n, on, _, from, err := unix.Recvmsg(w.fd, b[room:], oob, 0)
		w.mu.RUnlock()
		switch {
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENETDOWN):
			return fmt.Errorf("interface %s is down", w.name)
		case err != nil:
			return fmt.Errorf("interface %s: %w", w.name, err)
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype == unix.PACKET_OUTGOING {
			continue // what this port sent itself
		}
		pkt := b[room : room+n]
		if tpid, tci, ok := strippedTag(oob[:on]); ok && n >= 12 {
			copy(b, pkt[:12])
			binary.BigEndian.PutUint16(b[12:], tpid)
			binary.BigEndian.PutUint16(b[14:], tci)
			pkt = b[:room+n]
		}
		if err := rx(pkt); err != nil {
			return err
		}
	}
	return nil
}

// strippedTag is the 802.1Q tag that the kernel took out of a frame.
func strippedTag(oob []byte) (tpid, tci uint16, ok bool) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0, 0, false
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_PACKET || m.Header.Type != unix.PACKET_AUXDATA ||
			len(m.Data) < int(unsafe.Sizeof(unix.TpacketAuxdata{})) {
			continue
		}
		var a unix.TpacketAuxdata
		if _, err := binary.Decode(m.Data, binary.NativeEndian, &a); err != nil || a.Status&unix.TP_STATUS_VLAN_VALID == 0 {
			continue
		}
		tpid = 0x8100
		if a.Status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
			tpid = a.Vlan_tpid
		}
		return tpid, a.Vlan_tci, true
	}
	return 0, 0, false
}

func (w *interfaceWire) Send(pkt []byte) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.fd < 0 {
		return net.ErrClosed
	}
	_, err := unix.Write(w.fd, pkt)
	return err
}

func (w *interfaceWire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd < 0 {
		return nil
	}
	err := unix.Close(w.fd)
	w.fd = -1
	return err
}
