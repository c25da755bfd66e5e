package main

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
)

// stateful carries out commands about registers, counters and meters. It reports whether the command is one.
func (r *stfRun) stateful(ctx context.Context, c stfCommand) (known bool, err error) {
	switch c.verb {
	case "register_read", "register_write", "register_reset":
		return true, r.register(ctx, c)
	case "counter_read", "counter_write":
		return true, r.counter(ctx, c)
	case "check_counter":
		return true, r.checkCounter(ctx, c)
	case "meter_get_rates", "meter_set_rates", "meter_array_set_rates":
		return true, r.meter(ctx, c)
	}
	return false, nil
}

// arguments reads a name and the numbers behind it.
func arguments(c stfCommand, numbers int) (string, []int64, error) {
	if len(c.args) < numbers+1 {
		return "", nil, &phaseError{"test not understood", fmt.Errorf("%s takes a name and %d numbers", c.verb, numbers)}
	}
	var ns []int64
	for _, a := range c.args[1 : numbers+1] {
		n, err := strconv.ParseInt(a, 0, 64)
		if err != nil {
			return "", nil, err
		}
		ns = append(ns, n)
	}
	return c.args[0], ns, nil
}

func (r *stfRun) register(ctx context.Context, c stfCommand) error {
	numbers := 1
	if c.verb == "register_reset" {
		numbers = 0
	}
	name, ns, err := arguments(c, numbers)
	if err != nil {
		return err
	}
	reg, err := find("register", name, r.info.Registers)
	if err != nil {
		return err
	}
	e := &p4v1.RegisterEntry{RegisterId: reg.Preamble.Id}
	if numbers > 0 {
		e.Index = &p4v1.Index{Index: ns[0]}
	}
	entity := &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: e}}
	value := new(big.Int)
	switch {
	case c.verb == "register_read":
		got, err := r.read(ctx, entity)
		if err != nil || len(c.args) < 3 {
			return err
		}
		want, err := stfNumber(c.args[2])
		if err != nil {
			return err
		}
		if v := value.SetBytes(got[0].GetRegisterEntry().GetData().GetBitstring()); v.Cmp(want) != 0 {
			return &phaseError{"another state", fmt.Errorf("register %s[%d] holds %#x, want %#x", name, ns[0], v, want)}
		}
		return nil
	case c.verb == "register_write":
		if len(c.args) < 3 {
			return &phaseError{"test not understood", fmt.Errorf("no value")}
		}
		if value, err = stfNumber(c.args[2]); err != nil {
			return err
		}
	}
	e.Data = &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: bytesOf(value)}}
	return r.write(ctx, p4v1.Update_MODIFY, entity)
}

func (r *stfRun) counter(ctx context.Context, c stfCommand) error {
	numbers := 1
	if c.verb == "counter_write" {
		numbers = 3
	}
	name, ns, err := arguments(c, numbers)
	if err != nil {
		return err
	}
	e, err := r.counterEntry(name, ns[0])
	if err != nil {
		return err
	}
	entity := &p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: e}}
	if c.verb == "counter_read" {
		_, err = r.read(ctx, entity)
		return err
	}
	e.Data = &p4v1.CounterData{PacketCount: ns[1], ByteCount: ns[2]}
	return r.write(ctx, p4v1.Update_MODIFY, entity)
}

func (r *stfRun) counterEntry(name string, index int64) (*p4v1.CounterEntry, error) {
	x, err := find("counter", name, r.info.Counters)
	if err != nil {
		return nil, err
	}
	return &p4v1.CounterEntry{CounterId: x.Preamble.Id, Index: &p4v1.Index{Index: index}}, nil
}

// checkCounter is check_counter name(index) [bytes|packets operator number].
func (r *stfRun) checkCounter(ctx context.Context, c stfCommand) error {
	name, rest, ok := strings.Cut(strings.Join(c.args, " "), "(")
	index, cond, ok2 := strings.Cut(rest, ")")
	if !ok || !ok2 {
		return &phaseError{"test not understood", fmt.Errorf("want name(index)")}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(index), 0, 64)
	if err != nil {
		return err
	}
	e, err := r.counterEntry(strings.TrimSpace(name), n)
	if err != nil {
		return err
	}
	got, err := r.read(ctx, &p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: e}})
	if err != nil {
		return err
	}
	words := strings.Fields(cond)
	if len(words) == 0 {
		words = []string{"packets", "==", "0"}
	}
	if len(words) != 3 {
		return &phaseError{"test not understood", fmt.Errorf("condition %q", cond)}
	}
	want, err := strconv.ParseInt(words[2], 0, 64)
	if err != nil {
		return err
	}
	value := got[0].GetCounterEntry().GetData().GetPacketCount()
	if words[0] == "bytes" {
		value = got[0].GetCounterEntry().GetData().GetByteCount()
	}
	holds := map[string]bool{
		"==": value == want, "!=": value != want, "<": value < want, "<=": value <= want, ">": value > want, ">=": value >= want,
	}
	if !holds[words[1]] {
		return &phaseError{"another state", fmt.Errorf("counter %s[%d] has %d %s, want %s %d", name, n, value, words[0], words[1], want)}
	}
	return nil
}

// meter sets or reads the rates of a meter; they are given for a microsecond.
func (r *stfRun) meter(ctx context.Context, c stfCommand) error {
	numbers := 1
	if c.verb == "meter_array_set_rates" {
		numbers = 0
	}
	name, ns, err := arguments(c, numbers)
	if err != nil {
		return err
	}
	x, err := find("meter", name, r.info.Meters)
	if err != nil {
		return err
	}
	e := &p4v1.MeterEntry{MeterId: x.Preamble.Id}
	if numbers > 0 {
		e.Index = &p4v1.Index{Index: ns[0]}
	}
	entity := &p4v1.Entity{Entity: &p4v1.Entity_MeterEntry{MeterEntry: e}}
	if c.verb == "meter_get_rates" {
		_, err = r.read(ctx, entity)
		return err
	}
	rates := c.args[numbers+1:]
	if len(rates) != 2 {
		return &phaseError{"test not understood", fmt.Errorf("%d rates: want committed and peak", len(rates))}
	}
	var per, burst [2]int64
	for i, text := range rates {
		rate, size, ok := strings.Cut(text, ":")
		f, err1 := strconv.ParseFloat(rate, 64)
		n, err2 := strconv.ParseInt(size, 10, 64)
		if !ok || err1 != nil || err2 != nil {
			return &phaseError{"test not understood", fmt.Errorf("rate %q", text)}
		}
		per[i], burst[i] = int64(f*1e6+0.5), n
	}
	e.Config = &p4v1.MeterConfig{Cir: per[0], Cburst: burst[0], Pir: per[1], Pburst: burst[1]}
	return r.write(ctx, p4v1.Update_MODIFY, entity)
}
