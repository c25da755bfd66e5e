package softswitch

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// loaded is a switch with the test program and an entry that sends to port 2 what is for host 1, and to port 3 what is for 2.
func loaded(t *testing.T) *Switch {
	t.Helper()
	s, c := serve(t, Options{})
	c.primary(1)
	c.mustWrite(update(insert, c.l2(1, 2)), update(insert, c.l2(2, 3)))
	return s
}

func writePcap(t *testing.T, name string, pkts ...[]byte) {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if err := w.WriteFileHeader(maxPacket, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for i, p := range pkts {
		at := time.Unix(1000, 0).Add(time.Duration(i) * 20 * time.Millisecond)
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(p), Length: len(p)}, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name+".tmp", b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".tmp", name); err != nil {
		t.Fatal(err)
	}
}

func readPcap(t *testing.T, name string) [][]byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all [][]byte
	err = replay(context.Background(), name, f, &pacer{}, func(p []byte) error { all = append(all, bytes.Clone(p)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// attach runs a port until the test ends.
func attach(t *testing.T, s *Switch, spec string, opts WireOptions) (done <-chan error) {
	t.Helper()
	port, w, err := ParsePort(spec, opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		c <- s.Attach(ctx, port, w)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return c
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

func TestPcapFiles(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pcap"), filepath.Join(dir, "out.pcap")
	a, b := ethernet(1, 7, 0, 1), ethernet(1, 7, 0, 2)
	writePcap(t, in, a, ethernet(9, 9, 0), b)
	for run := 1; run <= 2; run++ { // the second run continues the file
		s := loaded(t)
		attach(t, s, "2:,"+out, WireOptions{})
		wait(t, "port 2", func() bool { s.ports.mu.Lock(); defer s.ports.mu.Unlock(); return s.ports.at(2).wire != nil })
		if err := <-attach(t, s, "0:"+in, WireOptions{}); err != nil {
			t.Fatal(err)
		}
		got := readPcap(t, out)
		if len(got) != 2*run || !bytes.Equal(got[2*run-2], a) || !bytes.Equal(got[2*run-1], b) {
			t.Fatalf("run %d: %x", run, got)
		}
		st := s.Stats()
		if st[0].RxPackets != 3 || st[0].Dropped != 1 || st[2].TxPackets != 2 {
			t.Fatalf("stats %+v", st)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReplayWaitsForAProgram(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in.pcap")
	writePcap(t, in, ethernet(1, 1, 0))
	s, c := serve(t, Options{})
	done := attach(t, s, "0:"+in, WireOptions{})
	time.Sleep(20 * time.Millisecond)
	c.primary(1)
	if err := <-done; err != nil || s.Stats()[0].RxPackets != 1 {
		t.Fatalf("%v, %+v", err, s.Stats())
	}
}

func TestReplayAtRecordedPace(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in.pcap")
	writePcap(t, in, ethernet(1, 1, 0), ethernet(1, 1, 0), ethernet(1, 1, 0)) // 20 ms apart
	s := loaded(t)
	begun := time.Now()
	if err := <-attach(t, s, "0:"+in, WireOptions{Recorded: true}); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begun); d < 40*time.Millisecond {
		t.Fatalf("40 ms of packets went through in %v", d)
	}
}

func TestFollowGrowingFile(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in.pcap")
	s := loaded(t)
	attach(t, s, "0:follow:"+in, WireOptions{})
	time.Sleep(20 * time.Millisecond) // not there yet
	writePcap(t, in, ethernet(1, 1, 0))
	wait(t, "the first packet", func() bool { return s.Stats()[0].RxPackets == 1 })
	whole, _ := os.ReadFile(in)
	record := whole[24:]
	f, err := os.OpenFile(in, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, part := range [][]byte{record[:9], record[9:20], record[20:]} { // a packet comes in pieces
		if _, err := f.Write(part); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	wait(t, "the second packet", func() bool { return s.Stats()[0].RxPackets == 2 })
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	s := loaded(t)
	writePcap(t, filepath.Join(dir, "epoch-0.pcap"), ethernet(1, 1, 0))
	attach(t, s, "0:dir:"+dir, WireOptions{})
	wait(t, "epoch 0", func() bool { _, err := os.Stat(filepath.Join(dir, "epoch-0.pcap.done")); return err == nil })
	writePcap(t, filepath.Join(dir, "epoch-1.pcap"), ethernet(1, 1, 0), ethernet(1, 1, 0))
	wait(t, "epoch 1", func() bool { _, err := os.Stat(filepath.Join(dir, "epoch-1.pcap.done")); return err == nil })
	if n := s.Stats()[0].RxPackets; n != 3 {
		t.Fatalf("%d packets", n)
	}
}

func TestUnixSocket(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "port0")
	s := loaded(t)
	attach(t, s, "2:unix:"+path, WireOptions{})
	client, err := net.DialUnix("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "me"), Net: "unixgram"},
		&net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	pkt := ethernet(1, 1, 0, 42) // comes in on port 2 and goes out there
	if _, err := client.Write(pkt); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := client.Read(b)
	if err != nil || !bytes.Equal(b[:n], pkt) {
		t.Fatalf("%x, %v", b[:n], err)
	}
	if _, _, err := ParsePort("3:unix:"+path, WireOptions{}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Fatalf("a socket in use: %v", err)
	}
}

func TestInterfaces(t *testing.T) {
	ip, err := exec.LookPath("ip")
	if err != nil || os.Getuid() != 0 {
		t.Skip("needs root and the ip command")
	}
	if out, err := exec.Command(ip, "link", "add", "ilt0", "type", "veth", "peer", "name", "ilt1").CombinedOutput(); err != nil {
		t.Skipf("no veth interfaces here: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command(ip, "link", "del", "ilt0").Run() })
	for _, name := range []string{"ilt0", "ilt1"} {
		if out, err := exec.Command(ip, "link", "set", name, "up").CombinedOutput(); err != nil {
			t.Skipf("%s", out)
		}
	}
	s := loaded(t)
	attach(t, s, "2:if:ilt0", WireOptions{})
	_, far, err := ParsePort("0:if:ilt1", WireOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var tagged atomic.Bool
	pkt := ethernet(1, 1, 0x8100, 0x20, 0x05, 0x12, 0x34, 9, 9) // with an 802.1Q tag, which must survive the kernel
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = far.Receive(ctx, func(p []byte) error {
			if bytes.Equal(p, pkt) {
				tagged.Store(true)
			}
			return nil
		})
	}()
	wait(t, "the packet", func() bool {
		if err := far.Send(pkt); err != nil {
			t.Fatal(err)
		}
		return tagged.Load()
	})
	cancel()
	<-ended
}

func TestBadPorts(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, tc := range []struct{ name, spec, say string }{
		{"no port", "x:a.pcap", "want PORT:WIRE"},
		{"no port", "511:a.pcap", "want PORT:WIRE"},
		{"nothing", "1:", "needed"},
		{"unknown kind", "1:udp:1.2.3.4", "no kind of wire"},
		{"missing file", "1:" + dir + "/none.pcap", "no such file"},
		{"missing directory", "1:dir:" + dir + "/none", "no such file"},
		{"socket on a file", "1:unix:" + file("plain", nil), "no socket"},
		{"no interface", "1:if:nonesuch0", "nonesuch0"},
		{"output that is no pcap", "1:," + file("text", []byte("hello, world")), "cannot be continued"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := ParsePort(tc.spec, WireOptions{})
			if err == nil || !strings.Contains(err.Error(), tc.say) {
				t.Fatalf("got %v, want %q", err, tc.say)
			}
		})
	}
}

func TestBadPcap(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.pcap")
	writePcap(t, good, ethernet(1, 1, 0), ethernet(1, 1, 0))
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	huge := bytes.Clone(whole)
	copy(huge[24+8:], []byte{0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0x7F})
	noEthernet := bytes.Clone(whole)
	noEthernet[20] = 101
	for _, tc := range []struct {
		name string
		b    []byte
		say  string
	}{
		{"empty", nil, "not a pcap file"},
		{"text", []byte("this is not a pcap file at all"), "not a pcap file"},
		{"cut in a packet", whole[:len(whole)-3], "packet 2"},
		{"cut after a packet's header", whole[:len(whole)-14], "packet 2"},
		{"cut in a packet's header", whole[:len(whole)-20], "packet 2"},
		{"huge packet", huge, "packet 1"},
		{"no Ethernet", noEthernet, "not Ethernet"},
		{"version", append(bytes.Clone(whole[:4]), 9, 0), "cut off"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := replay(context.Background(), "f.pcap", bytes.NewReader(tc.b), &pacer{}, func([]byte) error { return nil })
			if err == nil || !strings.Contains(err.Error(), tc.say) || !strings.Contains(err.Error(), "f.pcap") {
				t.Fatalf("got %v, want %q", err, tc.say)
			}
		})
	}
}

// FuzzPcap reads whatever is in a file without panic, hang or large allocation.
func FuzzPcap(f *testing.F) {
	f.Add([]byte{0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 1, 0, 0, 0})
	f.Add([]byte("\xA1\xB2\x3C\x4D\x00\x02\x00\x04aaaabbbb\x00\x00\xFF\xFF\x00\x00\x00\x01sssstttt\x00\x00\x00\x01\x00\x00\x00\x01x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = replay(context.Background(), "f", bytes.NewReader(b), &pacer{}, func(p []byte) error {
			if len(p) > maxPacket {
				t.Fatal("a packet of", len(p))
			}
			return nil
		})
	})
}

func TestAttachTwice(t *testing.T) {
	dir := t.TempDir()
	s := loaded(t)
	attach(t, s, "1:dir:"+dir, WireOptions{})
	wait(t, "port 1", func() bool { s.ports.mu.Lock(); defer s.ports.mu.Unlock(); return s.ports.at(1).wire != nil })
	_, w, err := ParsePort("1:dir:"+dir, WireOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Attach(context.Background(), 1, w); err == nil {
		t.Fatal("a port with two wires")
	}
	if err := s.Inject(511, nil); err == nil {
		t.Fatal("a packet on the drop port")
	}
	if _, err := New(Options{}).Process(1, nil); !errors.Is(err, ErrNoProgram) {
		t.Fatalf("a switch without a program: %v", err)
	}
}
