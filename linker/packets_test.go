package linker_test

import (
	"bytes"
	"net"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/interlock/interlock/api/softswitch/dataplane"
	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/specs"
)

// What the tests of linked programs need: the embedded switch with its page tables and counters, and packets.

func compile(t *testing.T, l *linker.Linked) *dataplane.Pipeline {
	t.Helper()
	p, err := dataplane.Compile(l.Info)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range l.Manifest.Tenants {
		setAdmitted(t, p, x.VID, true)
	}
	return p
}

// setAdmitted lets a tenant's packets go on to its code, or not any more.
func setAdmitted(t *testing.T, p *dataplane.Pipeline, vid uint16, admitted bool) {
	t.Helper()
	table, key := findTable(t, p, specs.AdmissionTable), []dataplane.Match{{Value: []uint64{uint64(vid)}}}
	if !admitted {
		if err := table.Delete(key, 0); err != nil {
			t.Fatal(err)
		}
		return
	}
	for i, a := range table.Actions {
		if a.Name == specs.AdmitAction {
			if err := table.Insert(dataplane.NewEntry(key, 0, &dataplane.Do{Action: i})); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("no action that admits")
}

// extent is a tenant's part of one stage.
type extent struct{ base, size, mask uint64 }

// mapTenant writes a tenant's page-table entry.
func mapTenant(t *testing.T, p *dataplane.Pipeline, c specs.Control, vid uint64, generation uint64, extents ...extent) {
	t.Helper()
	table := findTable(t, p, specs.PageTable(c))
	action := -1
	for i, a := range table.Actions {
		if a.Name == specs.MapAction(c) {
			action = i
		}
	}
	if action < 0 {
		t.Fatal("no map action")
	}
	do := &dataplane.Do{Action: action}
	for i, prm := range table.Actions[action].Params {
		var x extent
		if i/4 < len(extents) {
			x = extents[i/4]
		}
		do.Args = append(do.Args, []uint64{x.base, x.size, x.mask, generation}[i%4])
		if prm.Offset() != i {
			t.Fatalf("parameter %s at %d, want %d", prm.Name, prm.Offset(), i)
		}
	}
	if err := table.Insert(dataplane.NewEntry([]dataplane.Match{{Value: []uint64{vid}}}, 0, do)); err != nil {
		t.Fatal(err)
	}
}

func findTable(t *testing.T, p *dataplane.Pipeline, name string) *dataplane.Table {
	t.Helper()
	for _, x := range p.Tables() {
		if x.Name == name {
			return x
		}
	}
	t.Fatalf("no table %s", name)
	return nil
}

func count(t *testing.T, p *dataplane.Pipeline, name string, i int) uint64 {
	t.Helper()
	for _, c := range p.Counters() {
		if c.Name == name {
			v, err := c.Read(i)
			if err != nil {
				t.Fatal(err)
			}
			return v.Packets
		}
	}
	t.Fatalf("no counter %s", name)
	return 0
}

// frame is a packet to build. VID 0 means no tag.
type frame struct {
	vid, pcp  uint16
	dei       bool
	inner     layers.EthernetType // 0: IPv4
	src, dst  string
	ttl       uint8
	transport gopacket.SerializableLayer
	payload   []byte
}

var (
	macA = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	macB = net.HardwareAddr{2, 0, 0, 0, 0, 2}
)

func (f frame) bytes(t *testing.T) []byte {
	t.Helper()
	inner := f.inner
	if inner == 0 {
		inner = layers.EthernetTypeIPv4
	}
	eth := &layers.Ethernet{SrcMAC: macA, DstMAC: macB, EthernetType: inner}
	list := []gopacket.SerializableLayer{eth}
	if f.vid != 0 {
		eth.EthernetType = layers.EthernetTypeDot1Q
		list = append(list, &layers.Dot1Q{Priority: uint8(f.pcp), DropEligible: f.dei, VLANIdentifier: f.vid, Type: inner})
	}
	if f.src != "" {
		ip := &layers.IPv4{Version: 4, TTL: f.ttl, SrcIP: net.ParseIP(f.src), DstIP: net.ParseIP(f.dst), Protocol: layers.IPProtocolNoNextHeader}
		list = append(list, ip)
		switch x := f.transport.(type) {
		case *layers.UDP:
			ip.Protocol = layers.IPProtocolUDP
			if err := x.SetNetworkLayerForChecksum(ip); err != nil {
				t.Fatal(err)
			}
			list = append(list, x)
		case *layers.TCP:
			ip.Protocol = layers.IPProtocolTCP
			if err := x.SetNetworkLayerForChecksum(ip); err != nil {
				t.Fatal(err)
			}
			list = append(list, x)
		}
	}
	b := gopacket.NewSerializeBuffer()
	list = append(list, gopacket.Payload(f.payload))
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, list...); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b.Bytes())
}

// run sends a packet through and returns its port and bytes, or -1.
func run(p *dataplane.Pipeline, port uint16, pkt []byte) (int, []byte) {
	x := p.Run(port, pkt)
	defer x.Release()
	to, data, ok := x.First()
	if !ok {
		return -1, nil
	}
	return int(to), bytes.Clone(data)
}

// checkSums verifies the IPv4 and transport checksums of a packet by computing them again.
func checkSums(t *testing.T, pkt []byte) {
	t.Helper()
	d := gopacket.NewPacket(pkt, layers.LayerTypeEthernet, gopacket.Default)
	ip, ok := d.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
	if !ok {
		return
	}
	var sum uint32
	for i := 0; i+1 < len(ip.Contents); i += 2 {
		sum += uint32(ip.Contents[i])<<8 | uint32(ip.Contents[i+1])
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	if sum != 0xffff {
		t.Errorf("IPv4 header checksum is wrong: %x", ip.Contents)
	}
	switch x := d.TransportLayer().(type) {
	case *layers.UDP:
		_ = x.SetNetworkLayerForChecksum(ip)
	case *layers.TCP:
		_ = x.SetNetworkLayerForChecksum(ip)
	}
	if err, bad := d.VerifyChecksums(); err != nil || len(bad) > 0 {
		t.Errorf("checksums: %v %v in %x", err, bad, pkt)
	}
}
