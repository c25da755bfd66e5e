package softswitch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync/atomic"
)

// unixWire is a Unix datagram socket. Packets that leave go to the peer that sent the latest datagram; an empty datagram only
// says who that is.
type unixWire struct {
	path string
	conn *net.UnixConn
	peer atomic.Pointer[net.UnixAddr]
}

func openUnix(path string) (Wire, error) {
	if path == "" {
		return nil, fmt.Errorf("a path is needed")
	}
	addr := &net.UnixAddr{Name: path, Net: "unixgram"}
	if err := removeStale(path, addr); err != nil {
		return nil, err
	}
	conn, err := net.ListenUnixgram("unixgram", addr)
	if err != nil {
		return nil, err
	}
	return &unixWire{path: path, conn: conn}, nil
}

// removeStale removes a socket that nobody listens on any more.
func removeStale(path string, addr *net.UnixAddr) error {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if st.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s is there and is no socket", path)
	}
	c, err := net.DialUnix("unixgram", nil, addr)
	if err == nil {
		c.Close()
		return fmt.Errorf("%s is in use", path)
	}
	return os.Remove(path)
}

func (w *unixWire) Receive(ctx context.Context, rx func(pkt []byte) error) error {
	stop := context.AfterFunc(ctx, func() { w.conn.Close() })
	defer stop()
	b := make([]byte, maxPacket)
	for {
		n, peer, err := w.conn.ReadFromUnix(b)
		switch {
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", w.path, err)
		}
		if peer != nil && peer.Name != "" {
			w.peer.Store(peer)
		}
		if n == 0 {
			continue
		}
		if err := rx(b[:n]); err != nil {
			return err
		}
	}
}

func (w *unixWire) Send(pkt []byte) error {
	peer := w.peer.Load()
	if peer == nil {
		return fmt.Errorf("%s: nobody has said where packets go", w.path)
	}
	_, err := w.conn.WriteToUnix(pkt, peer)
	return err
}

func (w *unixWire) Close() error {
	err := w.conn.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if e := os.Remove(w.path); e != nil && !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}
