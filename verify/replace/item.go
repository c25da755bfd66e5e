package replace

//lint:file-ignore SA1019 controller_metadata is deprecated, and still kept with entries

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/verify/wire"
)

// An item is one thing that lasts, by names that both programs share: an entry, a default action, a count, a cell.
type item struct {
	kind   itemKind
	object string // P4Info name
	key    string
}

type itemKind string

const (
	entryItem   itemKind = "entry"
	defaultItem itemKind = "default action"
	directItem  itemKind = "count of a const entry"
	countItem   itemKind = "count"
	cellItem    itemKind = "cell"
)

func (i item) String() string {
	if i.key == "" {
		return fmt.Sprintf("%s of %s", i.kind, i.object)
	}
	return fmt.Sprintf("%s %s of %s", i.kind, i.key, i.object)
}

// A content is an item with its value. fresh says that a new program has it by itself: a zero, which is not written.
type content struct {
	item
	value string
	fresh bool
	entry *p4v1.TableEntry // of entries
	index int64            // of counts and cells
}

// only refuses a message in which fields other than the named ones are set.
func only(m proto.Message, names ...string) error {
	if f := wire.OtherField(m, names...); f != "" {
		return fmt.Errorf("%s.%s must not be set here", m.ProtoReflect().Descriptor().Name(), f)
	}
	return nil
}

// read is what an entity of a read or of a request says, by the names that c has for its ids.
func (c *catalog) read(e *p4v1.Entity) (content, error) {
	switch x := e.GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		return c.readEntry(x.TableEntry)
	case *p4v1.Entity_DirectCounterEntry:
		d := x.DirectCounterEntry
		if err := only(d, "table_entry", "data"); err != nil {
			return content{}, err
		}
		if err := only(d.GetTableEntry(), "table_id", "match", "priority", "is_default_action"); err != nil {
			return content{}, err
		}
		return c.readDirect(d.GetTableEntry(), d.GetData())
	case *p4v1.Entity_CounterEntry:
		name, ok := c.counters[x.CounterEntry.GetCounterId()]
		if !ok || x.CounterEntry.GetIndex() == nil {
			return content{}, errors.New("a counter that is not in the program, or without an index")
		}
		i := x.CounterEntry.GetIndex().GetIndex()
		v, fresh := countText(x.CounterEntry.GetData())
		return content{item: item{countItem, name, fmt.Sprint(i)}, value: v, fresh: fresh, index: i}, nil
	case *p4v1.Entity_RegisterEntry:
		name, ok := c.registers[x.RegisterEntry.GetRegisterId()]
		if !ok || x.RegisterEntry.GetIndex() == nil {
			return content{}, errors.New("a register that is not in the program, or without an index")
		}
		if _, ok := x.RegisterEntry.GetData().GetData().(*p4v1.P4Data_Bitstring); !ok {
			return content{}, fmt.Errorf("a cell of %s that is no bit string", name)
		}
		i := x.RegisterEntry.GetIndex().GetIndex()
		v := number(x.RegisterEntry.GetData().GetBitstring())
		return content{item: item{cellItem, name, fmt.Sprint(i)}, value: v, fresh: v == "", index: i}, nil
	}
	return content{}, fmt.Errorf("a %T", e.GetEntity())
}

// readDirect is the count of an entry, or default action, that is const: those of others come with them.
func (c *catalog) readDirect(e *p4v1.TableEntry, d *p4v1.CounterData) (content, error) {
	t := c.tables[e.GetTableId()]
	if t == nil || !t.fixed && !e.GetIsDefaultAction() || !t.bound && e.GetIsDefaultAction() {
		return content{}, errors.New("a count by itself of what is not const")
	}
	key, err := t.key(e)
	if e.GetIsDefaultAction() {
		key = "by default"
	}
	v, fresh := countText(d)
	return content{item: item{directItem, t.name, key}, value: v, fresh: fresh}, err
}

func (c *catalog) readEntry(e *p4v1.TableEntry) (content, error) {
	t := c.tables[e.GetTableId()]
	if t == nil {
		return content{}, fmt.Errorf("table %#x is not in the program", e.GetTableId())
	}
	if err := only(e, "table_id", "match", "action", "priority", "metadata", "controller_metadata", "idle_timeout_ns", "counter_data",
		"is_default_action", "is_const"); err != nil {
		return content{}, err
	}
	count, _ := countText(e.GetCounterData())
	out := content{entry: e}
	var err error
	switch {
	case e.GetIsConst():
		return c.readDirect(e, e.GetCounterData())
	case e.GetIsDefaultAction() && t.bound:
		return c.readDirect(e, e.GetCounterData())
	case e.GetIsDefaultAction():
		out.item = item{kind: defaultItem, object: t.name}
		if len(e.GetMatch()) > 0 || e.GetPriority() != 0 {
			return content{}, fmt.Errorf("the default action of table %s with a key", t.name)
		}
	case t.fixed:
		return content{}, fmt.Errorf("an entry of table %s, whose entries are const", t.name)
	default:
		out.item = item{kind: entryItem, object: t.name}
		if out.key, err = t.key(e); err != nil {
			return content{}, err
		}
	}
	does, err := c.does(e.GetAction())
	if err != nil {
		return content{}, fmt.Errorf("table %s: %w", t.name, err)
	}
	out.value = fmt.Sprintf("%s; metadata %x; controller metadata %d; time-out %d; %s", does, e.GetMetadata(),
		e.GetControllerMetadata(), e.GetIdleTimeoutNs(), count)
	return out, nil
}

// key is an entry's key in words: fields by name, in the order of their names.
func (t *table) key(e *p4v1.TableEntry) (string, error) {
	var parts []string
	for _, m := range e.GetMatch() {
		name, ok := t.fields[m.GetFieldId()]
		if !ok {
			return "", fmt.Errorf("table %s has no key field %d", t.name, m.GetFieldId())
		}
		switch x := m.GetFieldMatchType().(type) {
		case *p4v1.FieldMatch_Exact_:
			parts = append(parts, fmt.Sprintf("%s=%s", name, hexa(x.Exact.GetValue())))
		case *p4v1.FieldMatch_Lpm:
			parts = append(parts, fmt.Sprintf("%s=%s/%d", name, hexa(x.Lpm.GetValue()), x.Lpm.GetPrefixLen()))
		case *p4v1.FieldMatch_Ternary_:
			parts = append(parts, fmt.Sprintf("%s=%s&&&%s", name, hexa(x.Ternary.GetValue()), hexa(x.Ternary.GetMask())))
		case *p4v1.FieldMatch_Range_:
			parts = append(parts, fmt.Sprintf("%s=%s..%s", name, hexa(x.Range.GetLow()), hexa(x.Range.GetHigh())))
		case *p4v1.FieldMatch_Optional_:
			parts = append(parts, fmt.Sprintf("%s=?%s", name, hexa(x.Optional.GetValue())))
		default:
			return "", fmt.Errorf("table %s: a key field of type %T", t.name, x)
		}
	}
	slices.Sort(parts)
	for i := 1; i < len(parts); i++ {
		if field(parts[i]) == field(parts[i-1]) {
			return "", fmt.Errorf("table %s: a key field twice", t.name)
		}
	}
	return fmt.Sprintf("%s @%d", strings.Join(parts, " "), e.GetPriority()), nil
}

func field(part string) string { name, _, _ := strings.Cut(part, "="); return name }

// does is an action in words.
func (c *catalog) does(a *p4v1.TableAction) (string, error) {
	x, ok := a.GetType().(*p4v1.TableAction_Action)
	if !ok {
		return "", errors.New("an entry that does no plain action")
	}
	act := c.actions[x.Action.GetActionId()]
	if act == nil {
		return "", fmt.Errorf("action %#x is not in the program", x.Action.GetActionId())
	}
	var parts []string
	seen := map[uint32]bool{}
	for _, p := range x.Action.GetParams() {
		name, ok := act.params[p.GetParamId()]
		if !ok || seen[p.GetParamId()] {
			return "", fmt.Errorf("action %s: parameter %d is not one of its, or there twice", act.name, p.GetParamId())
		}
		seen[p.GetParamId()] = true
		parts = append(parts, fmt.Sprintf("%s=%s", name, hexa(p.GetValue())))
	}
	slices.Sort(parts)
	return fmt.Sprintf("%s(%s)", act.name, strings.Join(parts, ", ")), nil
}

// countText is a count in words; fresh for none.
func countText(d *p4v1.CounterData) (string, bool) {
	if d.GetPacketCount() == 0 && d.GetByteCount() == 0 {
		return "", true
	}
	return fmt.Sprintf("%d packets, %d bytes", d.GetPacketCount(), d.GetByteCount()), false
}

// number is a value without leading zeros; empty for zero.
func number(b []byte) string { return hex.EncodeToString(bytes.TrimLeft(b, "\x00")) }

// hexa is a value of action data or a key.
func hexa(b []byte) string { return "0x" + number(b) }
