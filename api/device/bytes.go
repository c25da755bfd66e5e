package device

import (
	"context"
	"errors"
	"fmt"
	"io"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
)

// Bytes is a codec that passes bytes through, so that what was decided about is what is sent; its name makes the wire format protobuf's.
type Bytes struct{}

var _ encoding.CodecV2 = Bytes{}

// Name is that of the wire format.
func (Bytes) Name() string { return "proto" }

// Marshal returns v, which must be a []byte.
func (Bytes) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("device: cannot send a %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

// Unmarshal sets v, which must be a *[]byte.
func (Bytes) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("device: cannot receive into a %T", v)
	}
	*b = data.Materialize()
	return nil
}

// ReadBytes sends a serialised ReadRequest, byte for byte, and returns the serialised ReadResponses.
func (r *Reader) ReadBytes(ctx context.Context, request []byte) ([][]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := r.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, p4v1.P4Runtime_Read_FullMethodName, grpc.ForceCodecV2(Bytes{}))
	if err != nil {
		return nil, r.wrap(err)
	}
	if err = s.SendMsg(request); err == nil {
		err = s.CloseSend()
	}
	if err != nil && !errors.Is(err, io.EOF) { // else the answer says why
		return nil, r.wrap(err)
	}
	var got [][]byte
	for {
		var b []byte
		err := s.RecvMsg(&b)
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return nil, r.wrap(err)
		}
		got = append(got, b)
	}
}
