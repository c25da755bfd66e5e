package softswitch_test

import (
	"context"
	"fmt"
	"log"

	"github.com/interlock/interlock/api/softswitch"
)

const hub = `
#include <core.p4>
#include <v1model.p4>
struct headers_t { }
struct meta_t { }
parser P(packet_in b, out headers_t h, inout meta_t m, inout standard_metadata_t sm) { state start { transition accept; } }
control V(inout headers_t h, inout meta_t m) { apply { } }
control I(inout headers_t h, inout meta_t m, inout standard_metadata_t sm) { apply { sm.egress_spec = 3 - sm.ingress_port; } }
control E(inout headers_t h, inout meta_t m, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t h, inout meta_t m) { apply { } }
control D(packet_out b, in headers_t h) { apply { } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
`

// A wire is a port in this process: packets from in go into the switch, those that leave on the port go to out. It is up once the
// switch receives from it.
type wire struct {
	in, out chan []byte
	up      chan struct{}
}

func (w wire) Receive(ctx context.Context, rx func(pkt []byte) error) error {
	close(w.up)
	for {
		select {
		case pkt := <-w.in:
			if err := rx(pkt); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (w wire) Send(pkt []byte) error {
	w.out <- append([]byte(nil), pkt...) // the switch uses pkt again
	return nil
}

func (w wire) Close() error { return nil }

// Ports can be anything that sends and receives packets: here, channels.
func ExampleSwitch_Attach() {
	s := softswitch.New(softswitch.Options{})
	defer s.Close()
	if err := s.Load([]byte(hub)); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	wires := map[uint16]wire{
		1: {make(chan []byte), make(chan []byte), make(chan struct{})},
		2: {make(chan []byte), make(chan []byte), make(chan struct{})},
	}
	for port, w := range wires {
		go func() { done <- s.Attach(ctx, port, w) }()
	}
	<-wires[2].up // a packet that leaves where nothing is attached is lost
	wires[1].in <- []byte("hello")
	fmt.Printf("%s leaves on port 2\n", <-wires[2].out)
	cancel()
	for range wires {
		if err := <-done; err != nil {
			log.Fatal(err)
		}
	}
	// Output: hello leaves on port 2
}
