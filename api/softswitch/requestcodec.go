package softswitch

import (
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto" // registers the ordinary codec
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	protobuf "google.golang.org/protobuf/proto"
)

// requestCodec is the ordinary codec but for write requests: it makes the messages of all updates of register cells at once, where
// the ordinary one makes seven for each. Scrubbing is nothing else. What it reads, and what it refuses, is the same.
type requestCodec struct{ encoding.CodecV2 }

func newRequestCodec() requestCodec { return requestCodec{encoding.GetCodecV2(proto.Name)} }

// Unmarshal reads a message.
func (c requestCodec) Unmarshal(data mem.BufferSlice, v any) error {
	req, ok := v.(*p4v1.WriteRequest)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	return unmarshalWrite(data.Materialize(), req)
}

// A cellUpdate is an update of a register cell, in one piece.
type cellUpdate struct {
	update   p4v1.Update
	entity   p4v1.Entity
	of       p4v1.Entity_RegisterEntry
	register p4v1.RegisterEntry
	index    p4v1.Index
	data     p4v1.P4Data
	bits     p4v1.P4Data_Bitstring
}

// unmarshalWrite reads a write request, which keeps b. Whatever is not as it should be is left to the ordinary way.
func unmarshalWrite(b []byte, req *p4v1.WriteRequest) error {
	var rest []byte // what is no update
	var updates [][]byte
	for in := b; len(in) > 0; {
		field, _, n := protowire.ConsumeField(in)
		if n < 0 {
			return protobuf.Unmarshal(b, req)
		}
		update, ok := messageField(in[:n], field, updatesField)
		if ok {
			updates = append(updates, update)
		} else {
			rest = append(rest, in[:n]...)
		}
		in = in[n:]
	}
	if err := protobuf.Unmarshal(rest, req); err != nil {
		return protobuf.Unmarshal(b, req)
	}
	var cells []cellUpdate
	for i, u := range updates {
		if len(cells) == 0 {
			cells = make([]cellUpdate, min(cellsAtOnce, len(updates)-i))
		}
		update := &cells[0].update
		if cells[0].unmarshal(u) {
			cells = cells[1:]
		} else {
			cells[0].reset()
			update = &p4v1.Update{}
			if err := protobuf.Unmarshal(u, update); err != nil {
				return protobuf.Unmarshal(b, req)
			}
		}
		req.Updates = append(req.Updates, update)
	}
	return nil
}

// cellsAtOnce is how many updates share an allocation.
const cellsAtOnce = 256

// Field numbers of p4runtime.proto.
const (
	updatesField     = 4  // of WriteRequest
	typeField        = 1  // of Update
	entityField      = 2  // of Update
	registerField    = 11 // of Entity
	registerIDField  = 1  // of RegisterEntry
	indexField       = 2  // of RegisterEntry
	dataField        = 3  // of RegisterEntry
	indexNumberField = 1  // of Index
	bitstringField   = 1  // of P4Data
)

// messageField is the content of an encoded field, if it is that one and has the wire type of messages.
func messageField(encoded []byte, field, want protowire.Number) ([]byte, bool) {
	if field != want {
		return nil, false
	}
	_, t, n := protowire.ConsumeTag(encoded)
	if t != protowire.BytesType {
		return nil, false
	}
	content, _ := protowire.ConsumeBytes(encoded[n:])
	return content, true
}

// unmarshal reads an update of a register cell. It is false, and the update not to be used, for every other one, and where a
// message occurs twice or something is not known.
func (c *cellUpdate) unmarshal(b []byte) bool {
	return fields(b, func(field protowire.Number, number uint64, content []byte) bool {
		switch {
		case field == typeField && content == nil:
			c.update.Type = p4v1.Update_Type(int32(number))
			return true
		case field == entityField && content != nil && c.update.Entity == nil:
			c.update.Entity = &c.entity
			return fields(content, c.entityField)
		}
		return false
	}) && c.entity.Entity != nil
}

// reset makes the update as it was before a failed unmarshal.
func (c *cellUpdate) reset() {
	c.update.Reset()
	c.entity.Reset()
	c.register.Reset()
	c.index.Reset()
	c.data.Reset()
	c.of.RegisterEntry, c.bits.Bitstring = nil, nil
}

func (c *cellUpdate) entityField(field protowire.Number, _ uint64, content []byte) bool {
	if field != registerField || content == nil || c.entity.Entity != nil {
		return false
	}
	c.of.RegisterEntry = &c.register
	c.entity.Entity = &c.of
	return fields(content, c.registerField)
}

func (c *cellUpdate) registerField(field protowire.Number, number uint64, content []byte) bool {
	switch {
	case field == registerIDField && content == nil:
		c.register.RegisterId = uint32(number)
		return true
	case field == indexField && content != nil && c.register.Index == nil:
		c.register.Index = &c.index
		return fields(content, func(field protowire.Number, number uint64, content []byte) bool {
			c.index.Index = int64(number)
			return field == indexNumberField && content == nil
		})
	case field == dataField && content != nil && c.register.Data == nil:
		c.register.Data = &c.data
		return fields(content, func(field protowire.Number, _ uint64, content []byte) bool {
			c.bits.Bitstring = content
			c.data.Data = &c.bits
			return field == bitstringField && content != nil
		})
	}
	return false
}

// fields calls f for each field of a message: content is nil for numbers. It is false if f is, or if there is something else.
func fields(b []byte, f func(field protowire.Number, number uint64, content []byte) bool) bool {
	for len(b) > 0 {
		field, t, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		var number uint64
		var content []byte
		switch t {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			if content, n = protowire.ConsumeBytes(b); content == nil {
				content = []byte{}
			}
		default:
			return false
		}
		if n < 0 || !f(field, number, content) {
			return false
		}
		b = b[n:]
	}
	return true
}
