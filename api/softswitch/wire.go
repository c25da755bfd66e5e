package softswitch

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// WireOptions say how files are replayed.
type WireOptions struct {
	// Recorded replays packets with the pauses that their time stamps have; else as fast as they are taken.
	Recorded bool
	// Rate, if above 0, is how many packets a second are replayed, evenly.
	Rate float64
}

// ParsePort reads a port's number and what it is attached to, and opens that:
//
//	PORT:IN.pcap,OUT.pcap          packets from one file and to another; either may be left out (PORT:,OUT.pcap)
//	PORT:follow:IN.pcap,OUT.pcap   the same, and waits for more when IN.pcap ends, or for it to be made
//	PORT:dir:DIR,OUT.pcap          every *.pcap that appears in DIR, in the order of names; a file that has gone through is
//	                               renamed to NAME.done
//	PORT:unix:PATH                 a Unix datagram socket: one datagram is one packet, both ways
//	PORT:if:NAME                   a Linux network interface (needs CAP_NET_RAW)
//
// An output file that is there already is continued.
func ParsePort(spec string, opts WireOptions) (port uint16, w Wire, err error) {
	num, rest, ok := strings.Cut(spec, ":")
	n, err := strconv.ParseUint(num, 10, 16)
	if !ok || err != nil || n > dataplane.MaxPort {
		return 0, nil, fmt.Errorf("port %q: want PORT:WIRE with PORT 0 to %d", spec, dataplane.MaxPort)
	}
	w, err = parseWire(rest, opts)
	if err != nil {
		return 0, nil, fmt.Errorf("port %q: %w", spec, err)
	}
	return uint16(n), w, nil
}

func parseWire(spec string, opts WireOptions) (Wire, error) {
	kind, rest, ok := strings.Cut(spec, ":")
	if !ok {
		kind, rest = "", spec
	}
	in, out, _ := strings.Cut(rest, ",")
	switch kind {
	case "":
		if in == "" && out == "" {
			return nil, fmt.Errorf("an input or output file is needed")
		}
		return openFiles(in, out, opts)
	case "follow":
		if in == "" {
			return nil, fmt.Errorf("a file to follow is needed")
		}
		return openFollowed(in, out, opts)
	case "dir":
		if in == "" {
			return nil, fmt.Errorf("a directory is needed")
		}
		return openDirectory(in, out, opts)
	case "unix":
		return openUnix(rest)
	case "if":
		return openInterface(rest)
	}
	return nil, fmt.Errorf("%q is no kind of wire: want files, follow, dir, unix or if", kind)
}

// A pacer makes a replay wait.
type pacer struct {
	opts  WireOptions
	begun time.Time // when the first packet was sent
	first time.Time // its time stamp
	sent  int
}

// due is how long to wait before the packet with that time stamp.
func (p *pacer) due(stamp, now time.Time) time.Duration {
	if p.begun.IsZero() {
		p.begun, p.first = now, stamp
	}
	var at time.Time
	switch {
	case p.opts.Rate > 0:
		at = p.begun.Add(time.Duration(float64(p.sent) / p.opts.Rate * float64(time.Second)))
	case p.opts.Recorded:
		at = p.begun.Add(stamp.Sub(p.first))
	default:
		return 0
	}
	p.sent++
	return at.Sub(now)
}
