package softswitch

import (
	"bytes"
	"context"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// sameWrite reads a write request in the ordinary way and in the short one.
func sameWrite(t rapid.TB, b []byte) {
	t.Helper()
	var want, got p4v1.WriteRequest
	wantErr, gotErr := proto.Unmarshal(b, &want), unmarshalWrite(bytes.Clone(b), &got)
	if (wantErr == nil) != (gotErr == nil) {
		t.Fatalf("%x: %v in short, %v ordinarily", b, gotErr, wantErr)
	}
	if wantErr == nil && !proto.Equal(&want, &got) {
		t.Fatalf("%x:\n%v in short,\n%v ordinarily", b, &got, &want)
	}
}

// drawMessage draws fields of a message of that kind: those that it has, some twice or in another order, and some that it has not.
func drawMessage(t *rapid.T, kind string) []byte {
	type part struct {
		field protowire.Number
		kind  string
		rare  bool
	}
	parts := map[string][]part{
		"request": {
			{1, "number", false},
			{3, "any", true},
			{4, "update", false},
			{4, "update", false},
			{4, "update", false},
			{5, "number", false},
			{6, "any", true},
			{4, "number", true},
		},
		"update":   {{1, "number", false}, {2, "entity", false}},
		"entity":   {{11, "register", false}, {11, "register", true}, {2, "any", true}},
		"register": {{1, "number", false}, {2, "index", false}, {3, "data", false}},
		"index":    {{1, "number", false}},
		"data":     {{1, "any", false}, {1, "any", true}, {7, "number", true}, {2, "any", true}},
	}
	var b []byte
	for _, p := range parts[kind] {
		times := []int{1, 1, 1, 1, 1, 0, 2}
		if p.rare {
			times = []int{0, 0, 0, 0, 0, 0, 1}
		}
		for range rapid.SampledFrom(times).Draw(t, "times") {
			if rapid.IntRange(0, 30).Draw(t, "odd") == 0 {
				p = part{protowire.Number(rapid.IntRange(1, 13).Draw(t, "field")), rapid.SampledFrom([]string{"any", "number", "fixed"}).Draw(t, "kind"), false}
			}
			switch p.kind {
			case "number":
				b = protowire.AppendVarint(protowire.AppendTag(b, p.field, protowire.VarintType), rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 3)).Draw(t, "number"))
			case "fixed":
				b = protowire.AppendFixed32(protowire.AppendTag(b, p.field, protowire.Fixed32Type), 7)
			case "any":
				b = protowire.AppendBytes(protowire.AppendTag(b, p.field, protowire.BytesType), rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "bytes"))
			default:
				b = protowire.AppendBytes(protowire.AppendTag(b, p.field, protowire.BytesType), drawMessage(t, p.kind))
			}
		}
	}
	return b
}

// TestWriteRequestsReadAlike compares both ways on messages of all shapes, whole and damaged.
func TestWriteRequestsReadAlike(t *testing.T) {
	short := 0
	rapid.Check(t, func(t *rapid.T) {
		b := drawMessage(t, "request")
		sameWrite(t, b)
		var c cellUpdate
		if c.unmarshal(drawMessage(t, "update")) {
			short++
		}
		if len(b) > 0 {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "where")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			sameWrite(t, b)
			sameWrite(t, b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")])
		}
	})
	if short == 0 {
		t.Error("no update was read in short")
	}
}

func FuzzWriteRequestsReadAlike(f *testing.F) {
	_, c := serve(f, Options{})
	whole, err := proto.Marshal(&p4v1.WriteRequest{DeviceId: testDevice, Updates: []*p4v1.Update{c.cell(5, 1, 2), c.cell(0)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, b []byte) { sameWrite(t, b) })
}

// rawRequest is the codec of a client that has its requests as bytes, as the gate does.
type rawRequest struct{ encoding.CodecV2 }

func (c rawRequest) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

// BenchmarkScrub zeroes the cells of a register, 4096 a request, that the client has as bytes; and the register as a whole.
func BenchmarkScrub(b *testing.B) {
	for _, whole := range []bool{false, true} {
		name, cells := "cells", 4096
		if whole {
			name = "register"
		}
		b.Run(name, func(b *testing.B) {
			s, c := serve(b, Options{})
			c.primary(1)
			req := &p4v1.WriteRequest{DeviceId: testDevice, ElectionId: c.id}
			for i := range cells {
				req.Updates = append(req.Updates, c.cell(int64(i), 0))
			}
			if whole {
				req.Updates = req.Updates[:1]
				req.Updates[0].GetEntity().GetRegisterEntry().Index = nil
				cells = s.active.pipe.Registers()[0].Size
			}
			bytes, err := proto.Marshal(req)
			if err != nil {
				b.Fatal(err)
			}
			cpu := CPUTime(b)
			for b.Loop() {
				var reply p4v1.WriteResponse
				if err := c.conn.Invoke(context.Background(), p4v1.P4Runtime_Write_FullMethodName, bytes, &reply,
					grpc.ForceCodecV2(rawRequest{encoding.GetCodecV2("proto")})); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(cells)/b.Elapsed().Seconds(), "cells/s")
			b.ReportMetric(float64(b.N)*float64(cells)/(CPUTime(b)-cpu).Seconds(), "cells/cpu-s")
		})
	}
}
