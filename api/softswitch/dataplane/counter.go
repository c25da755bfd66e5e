package dataplane

import (
	"fmt"
	"sync/atomic"
)

// Count is what one counter cell holds.
type Count struct{ Packets, Bytes uint64 }

type cell struct{ packets, bytes atomic.Uint64 }

func (c *cell) add(bytes int) {
	c.packets.Add(1)
	c.bytes.Add(uint64(bytes))
}

func (c *cell) load() Count { return Count{c.packets.Load(), c.bytes.Load()} }

func (c *cell) store(v Count) {
	c.packets.Store(v.Packets)
	c.bytes.Store(v.Bytes)
}

// A Counter is an indirect counter array. It counts packets and the bytes they had on arrival, whatever its type shows.
type Counter struct {
	Name  string // in the P4Info
	Size  int    // cells
	cells []cell
	stray atomic.Uint64
}

func newCounter(name string, size int) *Counter {
	return &Counter{Name: name, Size: size, cells: make([]cell, size)}
}

// Stray counts packets that asked for an index at or past the end.
func (c *Counter) Stray() uint64 { return c.stray.Load() }

// Read returns cell i.
func (c *Counter) Read(i int) (Count, error) {
	if i < 0 || i >= c.Size {
		return Count{}, fmt.Errorf("counter %s has %d cells, and no cell %d", c.Name, c.Size, i)
	}
	return c.cells[i].load(), nil
}

// Write sets cell i.
func (c *Counter) Write(i int, v Count) error {
	if i < 0 || i >= c.Size {
		return fmt.Errorf("counter %s has %d cells, and no cell %d", c.Name, c.Size, i)
	}
	c.cells[i].store(v)
	return nil
}

func (c *Counter) count(i uint64, bytes int) {
	if i >= uint64(c.Size) {
		c.stray.Add(1)
		return
	}
	c.cells[i].add(bytes)
}

// A DirectCounter counts per table entry: every packet that the entry, the default one included, is applied to, whether its
// action calls count() or not.
type DirectCounter struct {
	Name  string // in the P4Info
	table *Table
}
