package dataplane

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// maxCells bounds a register or counter array.
const maxCells = 1 << 28

// A Register is an array of cells that packets and the control plane read and write. Each cell is read and written whole.
type Register struct {
	Name  string // in the P4Info
	Size  int    // cells
	Width int    // bits of a cell
	// Signed cells are two's complement in Width bits.
	Signed bool
	// IsBool cells are 0 or 1.
	IsBool bool
	// Fields are what cells that are structs or tuples consist of, in order; such cells have no Width.
	Fields []SampleField

	reads, writes bool // by packets

	words int // of a cell
	cells []uint64
	wide  sync.RWMutex // guards cells of more than one word
	stray atomic.Uint64
}

func newRegister(name string, size, width int, signed bool) *Register {
	n := bitWords(width)
	return &Register{Name: name, Size: size, Width: width, Signed: signed, words: n, cells: make([]uint64, size*n)}
}

// structRegister makes a register of structs or tuples of scalars.
func (c *compiler) structRegister(d syntax.Node, name string, size int, t types.Type) *Register {
	switch s := under(t).(type) {
	case *types.Tuple:
	case *types.Struct:
		if s.Kind != types.PlainStruct {
			unsupported(d, "a register of %s", t)
		}
	default:
		unsupported(d, "a register of %s", t)
	}
	for _, p := range partsOf(d, t, 0, -1) {
		if _, _, scalar := widthOf(p.typ); !scalar || p.header >= 0 {
			unsupported(d, "a register of %s, which has a %s in it", t, p.typ)
		}
	}
	n := wordsOf(d, t)
	if n == 0 {
		unsupported(d, "a register of %s, which is empty", t)
	}
	return &Register{Name: name, Size: size, Fields: sampleFields(d, t, 0), words: n, cells: make([]uint64, size*n)}
}

// Words is the number of 64-bit words of a cell, least significant first.
func (r *Register) Words() int { return r.words }

// Stray counts accesses by packets to an index at or past the end.
func (r *Register) Stray() uint64 { return r.stray.Load() }

// Read copies cell i to dst, which has Words words.
func (r *Register) Read(i int, dst []uint64) error {
	if i < 0 || i >= r.Size {
		return fmt.Errorf("register %s has %d cells, and no cell %d", r.Name, r.Size, i)
	}
	r.get(i, dst)
	return nil
}

// Write sets cell i to v, which has Words words and no bit above Width.
func (r *Register) Write(i int, v []uint64) error {
	if i < 0 || i >= r.Size {
		return fmt.Errorf("register %s has %d cells, and no cell %d", r.Name, r.Size, i)
	}
	r.set(i, v)
	return nil
}

// Fill sets every cell to v, one after the other.
func (r *Register) Fill(v []uint64) {
	for i := range r.Size {
		r.set(i, v)
	}
}

func (r *Register) get(i int, dst []uint64) {
	if r.words == 1 {
		dst[0] = atomic.LoadUint64(&r.cells[i])
		return
	}
	r.wide.RLock()
	copy(dst, r.cells[i*r.words:(i+1)*r.words])
	r.wide.RUnlock()
}

func (r *Register) set(i int, v []uint64) {
	if r.words == 1 {
		atomic.StoreUint64(&r.cells[i], v[0])
		return
	}
	r.wide.Lock()
	copy(r.cells[i*r.words:(i+1)*r.words], v)
	r.wide.Unlock()
}

// packetRead is a packet's read: 0 out of range.
func (r *Register) packetRead(i uint64, dst []uint64) {
	if i >= uint64(r.Size) {
		r.stray.Add(1)
		clear(dst)
		return
	}
	r.get(int(i), dst)
}

// packetWrite is a packet's write: nothing out of range.
func (r *Register) packetWrite(i uint64, v []uint64) {
	if i >= uint64(r.Size) {
		r.stray.Add(1)
		return
	}
	r.set(int(i), v)
}
