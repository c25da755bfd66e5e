package main

import (
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/softswitch"
	"github.com/interlock/interlock/api/softswitch/dataplane"
	"github.com/interlock/interlock/linker/p4"
)

//go:embed trace.schema.json
var traceSchema []byte

// tracedPackets bounds how many packets of a file are traced.
const tracedPackets = 10_000

func newTrace() *cobra.Command {
	var port uint16
	var include, entries []string
	var capture string
	c := &cobra.Command{
		Use:     "trace PROGRAM [HEX...]",
		GroupID: "tools",
		Short:   "Show a packet's way through a program, step by step",
		Long: `Trace runs packets through the embedded switch and prints every step: parser states, headers, tables with the key and
the entry hit, actions with their arguments, what each statement reads and writes, what becomes of the packet and of its copies.

PROGRAM is a v1model program, or a directory with a linked.p4. A packet is given in hexadecimal, or comes from a pcap file. Each
packet finds the registers as the one before left them. --entries takes a P4Runtime WriteRequest as text (.txtpb), JSON (.json)
or bytes (.bin); its updates are applied first: table entries, multicast groups, clone sessions, registers.

'interlock schema trace' describes the JSON.`,
		Example: `  interlock trace kv.p4 --port 1 --entries entries.txtpb 0800aabb
  interlock trace out/linked --pcap in.pcap -o json`,
		Args: cobra.MinimumNArgs(1),
	}
	format := addFormat(c)
	c.Flags().Uint16Var(&port, "port", 1, "port that the packets are received on")
	c.Flags().StringArrayVarP(&include, "include", "I", nil, "directory to look for #include files in")
	c.Flags().StringArrayVar(&entries, "entries", nil, "P4Runtime WriteRequest to apply first (may be repeated)")
	c.Flags().StringVar(&capture, "pcap", "", "file with the packets")
	c.RunE = func(c *cobra.Command, args []string) error {
		packets, err := packetsToTrace(args[1:], capture)
		if err != nil {
			return err
		}
		s, err := switchToTrace(args[0], include, entries)
		if err != nil {
			return err
		}
		defer s.Close()
		traces := []tracedPacket{}
		for _, pkt := range packets {
			t, err := s.Trace(port, pkt, nil)
			if err != nil {
				return exitWith(exitInput, err)
			}
			traces = append(traces, tracedPacket{port, hex.EncodeToString(pkt), t})
		}
		return exitWith(exitEnvironment, format.print(c.OutOrStdout(), traces, func(w io.Writer) {
			for i, t := range traces {
				if i > 0 {
					fmt.Fprintln(w)
				}
				printTrace(w, t.Trace)
			}
		}))
	}
	return c
}

// tracedPacket is a packet and its way.
type tracedPacket struct {
	Port uint16 `json:"port"`
	Data string `json:"data"`
	*dataplane.Trace
}

func packetsToTrace(texts []string, capture string) ([][]byte, error) {
	var packets [][]byte
	for _, t := range texts {
		pkt, err := hex.DecodeString(strings.Map(func(r rune) rune {
			if r == ' ' || r == ':' || r == '\n' || r == '\t' {
				return -1
			}
			return r
		}, t))
		if err != nil {
			return nil, inputf("packet %q: %v", t, err)
		}
		packets = append(packets, pkt)
	}
	if capture != "" {
		f, err := os.Open(capture)
		if err != nil {
			return nil, exitWith(exitInput, err)
		}
		defer f.Close()
		more, err := softswitch.ReadPcap(f, tracedPackets)
		if err != nil {
			return nil, inputf("%s: %v", capture, err)
		}
		packets = append(packets, more...)
	}
	if len(packets) == 0 {
		return nil, inputf("no packet: give one in hexadecimal, or --pcap")
	}
	return packets, nil
}

// switchToTrace is a switch with the program and what --entries says.
func switchToTrace(path string, include, entries []string) (*softswitch.Switch, error) {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path = filepath.Join(path, linkedFile)
	}
	info, diags := p4.Load(path, nil, include...)
	if diags.HasErrors() {
		return nil, exitWith(exitInput, diags.Err())
	}
	// Time stands still, so that a packet's trace is the same each time.
	s := softswitch.New(softswitch.Options{Clock: func() uint64 { return 0 }})
	if err := s.LoadChecked(info); err != nil {
		return nil, errors.Join(exitWith(exitInput, err), s.Close())
	}
	for _, file := range entries {
		req, err := readWriteRequest(file)
		if err == nil {
			err = s.Apply(req.GetUpdates())
		}
		if err != nil {
			s.Close()
			return nil, inputf("%s: %v", file, err)
		}
	}
	return s, nil
}

func readWriteRequest(file string) (*p4v1.WriteRequest, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	req := &p4v1.WriteRequest{}
	switch filepath.Ext(file) {
	case ".json":
		err = protojson.Unmarshal(b, req)
	case ".bin":
		err = proto.Unmarshal(b, req)
	default:
		err = prototext.Unmarshal(b, req)
	}
	return req, err
}

// printTrace shows a trace for people: a line a step, with what it read and wrote below.
func printTrace(w io.Writer, t *dataplane.Trace) {
	last := -1
	for _, s := range t.Steps {
		if s.Packet != last {
			fmt.Fprintf(w, "packet %d\n", s.Packet)
			last = s.Packet
		}
		indent := strings.Repeat("  ", s.Depth+1)
		parts := []string{string(s.Kind)}
		if s.Kind == dataplane.StepAssign || s.Kind == dataplane.StepBranch || s.Kind == dataplane.StepCall && s.Text != "" {
			parts = []string{s.Text}
		} else if s.Name != "" {
			parts = append(parts, s.Name)
		}
		if s.Result != "" {
			parts = append(parts, "->", s.Result)
		}
		line := indent + strings.Join(parts, " ")
		if s.At != "" {
			line += "  [" + s.At + "]"
		}
		fmt.Fprintln(w, line)
		for _, v := range s.Reads {
			fmt.Fprintf(w, "%s  | %s is %s\n", indent, v.Name, v.Value)
		}
		for _, v := range s.Writes {
			fmt.Fprintf(w, "%s  > %s becomes %s\n", indent, v.Name, v.Value)
		}
	}
	if t.Cut {
		fmt.Fprintf(w, "... and more than %d steps\n", dataplane.MaxSteps)
	}
	if len(t.Outputs) == 0 {
		fmt.Fprintln(w, "nothing left the switch")
	}
	for _, o := range t.Outputs {
		fmt.Fprintf(w, "left on port %d: %s\n", o.Port, o.Data)
	}
}
