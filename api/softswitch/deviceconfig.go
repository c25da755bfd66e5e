package softswitch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of the message p4.tmp.P4DeviceConfig, which P4Runtime clients of simple_switch_grpc may put around what is for the device.
const (
	fieldReassign   = 1 // bool: another program may run already; always so here
	fieldExtras     = 2 // what only simple_switch_grpc knows
	fieldDeviceData = 3
)

// sourceText finds the P4 text in a p4_device_config. It is the text itself, or, for clients that were written for
// simple_switch_grpc and insist on its formats, the text as one JSON string or in a p4.tmp.P4DeviceConfig. No P4 text begins like
// one of these.
func sourceText(config []byte) ([]byte, error) {
	if len(config) > 0 {
		switch config[0] {
		case fieldReassign<<3 | byte(protowire.VarintType), fieldExtras<<3 | byte(protowire.BytesType), fieldDeviceData<<3 | byte(protowire.BytesType):
			data, err := deviceData(config)
			if err != nil {
				return nil, fmt.Errorf("p4_device_config begins like a p4.tmp.P4DeviceConfig, but: %w", err)
			}
			config = data
		}
	}
	trimmed := bytes.TrimLeft(config, " \t\r\n")
	switch {
	case bytes.HasPrefix(trimmed, []byte(`"`)):
		var text string
		if err := json.Unmarshal(trimmed, &text); err != nil {
			return nil, fmt.Errorf("p4_device_config begins like a JSON string, but: %w", err)
		}
		return []byte(text), nil
	case bytes.HasPrefix(trimmed, []byte("{")):
		return nil, errors.New("p4_device_config is JSON, a compiled program for BMv2: this switch compiles the P4 source text by itself, and wants that")
	case len(trimmed) == 0:
		return nil, errors.New("p4_device_config is empty: it must be the P4 source text")
	}
	return config, nil
}

// deviceData is the field device_data of a p4.tmp.P4DeviceConfig.
func deviceData(b []byte) ([]byte, error) {
	var data []byte
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		b = b[n:]
		switch {
		case num == fieldReassign && typ == protowire.VarintType, num == fieldExtras && typ == protowire.BytesType:
			n = protowire.ConsumeFieldValue(num, typ, b)
		case num == fieldDeviceData && typ == protowire.BytesType:
			data, n = protowire.ConsumeBytes(b)
		default:
			return nil, fmt.Errorf("it has no field %d of wire type %d", num, typ)
		}
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		b = b[n:]
	}
	return data, nil
}
