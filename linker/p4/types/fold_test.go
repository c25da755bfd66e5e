package types_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// byteExpr is a random expression of type bit<8> with its value, computed in Go's own bytes.
type byteExpr struct {
	text  string
	value uint8
}

func drawByte(t *rapid.T, depth int) byteExpr {
	if depth == 0 || rapid.IntRange(0, 4).Draw(t, "leaf") == 0 {
		v := rapid.Uint8().Draw(t, "value")
		return byteExpr{fmt.Sprintf("8w%d", v), v}
	}
	x, y := drawByte(t, depth-1), drawByte(t, depth-1)
	switch op := rapid.IntRange(0, 13).Draw(t, "op"); op {
	case 0:
		return byteExpr{"(" + x.text + " + " + y.text + ")", x.value + y.value}
	case 1:
		return byteExpr{"(" + x.text + " - " + y.text + ")", x.value - y.value}
	case 2:
		return byteExpr{"(" + x.text + " * " + y.text + ")", x.value * y.value}
	case 3:
		return byteExpr{"(" + x.text + " & " + y.text + ")", x.value & y.value}
	case 4:
		return byteExpr{"(" + x.text + " | " + y.text + ")", x.value | y.value}
	case 5:
		return byteExpr{"(" + x.text + " ^ " + y.text + ")", x.value ^ y.value}
	case 6:
		return byteExpr{"~(" + x.text + ")", ^x.value}
	case 7:
		return byteExpr{"-(" + x.text + ")", -x.value}
	case 8:
		return byteExpr{"(" + x.text + " << " + y.text + ")", x.value << y.value}
	case 9:
		return byteExpr{"(" + x.text + " >> " + y.text + ")", x.value >> y.value}
	case 10:
		sum := uint16(x.value) + uint16(y.value)
		return byteExpr{"(" + x.text + " |+| " + y.text + ")", uint8(min(sum, 255))}
	case 11:
		return byteExpr{"(" + x.text + " |-| " + y.text + ")", uint8(max(int(x.value)-int(y.value), 0))}
	case 12:
		v := y.value
		if x.value < y.value {
			v = x.value
		}
		return byteExpr{"(" + x.text + " < " + y.text + " ? " + x.text + " : " + y.text + ")", v}
	default:
		signed := uint8(int8(x.value) >> (y.value & 7))
		return byteExpr{fmt.Sprintf("(bit<8>) ((int<8>) %s >> %d)", x.text, y.value&7), signed}
	}
}

// TestFolding compares constant folding with Go's arithmetic.
func TestFolding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawByte(t, 4)
		info, diags := p4.Load("fold.p4", []byte("const bit<8> x = "+e.text+";"))
		if diags.HasErrors() {
			t.Fatalf("%s: %v", e.text, diags)
		}
		d := info.Program.Decls[0].(*syntax.ConstDecl)
		got, ok := info.Defs[d.Name].Value.(types.IntValue)
		if !ok || got.Int.Uint64() != uint64(e.value) {
			t.Fatalf("%s = %v, want %d", e.text, info.Defs[d.Name].Value, e.value)
		}
	})
}
