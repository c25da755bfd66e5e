package vrm

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	rw "github.com/interlock/interlock/linker/rewrite"
	"github.com/interlock/interlock/specs"
)

// Names of the parameters that a control with register accesses gets: its page-table entry, and what became of the accesses.
const (
	PageParam   = "il_page"
	MemoryParam = "il_memory"
)

// Rewrite is the code for one access. For a read of r at i into x it is
//
//	{
//	    bit<32> il_index = (bit<32>) i & il_page.mask_k;
//	    bit<32> il_cell = 0;
//	    if (il_index < (bit<32>) il_page.size_k) {
//	        il_stage_ingress_k.read(il_cell, (bit<32>) il_page.base_k + il_index);
//	        meta.hit = true;
//	    } else {
//	        meta.hit = false;
//	        il_memory.missed = true;
//	    }
//	    il_memory.asked = true;
//	    x = (bit<W>) il_cell;
//	}
//
// and for a write of v the same with a write in the place of the read and nothing to assign. The slot is computed in 32 bits: a
// base and a size of 24 bits cannot wrap. c copies the call's own expressions.
func (p *Program) Rewrite(call *syntax.Call, c *rw.Copier) syntax.Stmt {
	a, info := p.accesses[call], p.info.Calls[call]
	r := a.reg
	array := rw.Name(specs.StageArray(r.Control, r.Stage))
	slot := func() syntax.Expr {
		return rw.Binary(rw.Cast(rw.BitType(SlotBits), rw.Path(PageParam, specs.BaseParam(r.Stage))), "+", rw.Name("il_index"))
	}
	idx, other := info.Args[0], info.Args[1]
	if !a.write {
		idx, other = other, idx
	}

	var out []syntax.Stmt
	out = append(out, rw.Var(rw.BitType(SlotBits), "il_index",
		rw.Binary(p.wide(c, idx), "&", rw.Path(PageParam, specs.MaskParam(r.Stage)))))
	var hit []syntax.Stmt
	if a.write {
		value := p.wide(c, other)
		if r.Width != SlotBits {
			value = rw.Cast(rw.BitType(SlotBits), rw.Cast(rw.BitType(r.Width), rw.Node(c, other)))
		}
		out = append(out, rw.Var(rw.BitType(SlotBits), "il_value", value))
		hit = append(hit, rw.CallStmt(rw.Member(array, "write"), slot(), rw.Name("il_value")))
	} else {
		out = append(out, rw.Var(rw.BitType(SlotBits), "il_cell", rw.Int(0)))
		hit = append(hit, rw.CallStmt(rw.Member(array, "read"), rw.Name("il_cell"), slot()))
	}
	miss := []syntax.Stmt{rw.Assign(rw.Path(MemoryParam, "missed"), rw.Bool(true))}
	if r.hit != nil {
		hit = append(hit, rw.Assign(rw.Path(a.meta, r.hit.Field), r.hit.value(true)))
		miss = append(miss, rw.Assign(rw.Path(a.meta, r.hit.Field), r.hit.value(false)))
	}
	size := rw.Cast(rw.BitType(SlotBits), rw.Path(PageParam, specs.SizeParam(r.Stage)))
	out = append(out,
		rw.If(rw.Binary(rw.Name("il_index"), "<", size), hit, miss),
		rw.Assign(rw.Path(MemoryParam, "asked"), rw.Bool(true)))
	if !a.write {
		var value syntax.Expr = rw.Name("il_cell")
		if r.Width != SlotBits {
			value = rw.Cast(rw.BitType(r.Width), value)
		}
		out = append(out, rw.Assign(rw.Node(c, other), value))
	}
	return rw.Block(out...)
}

// wide copies an expression and makes it a bit<32>, which it may be already.
func (p *Program) wide(c *rw.Copier, e syntax.Expr) syntax.Expr {
	if b, ok := p.info.Types[e].(*types.Bit); ok && b.Width == SlotBits && !b.Signed {
		return rw.Node(c, e)
	}
	return rw.Cast(rw.BitType(SlotBits), rw.Node(c, e))
}

// checkIndex refuses an index that would not keep its value as a bit<32>.
func (p *Program) checkIndex(call *syntax.Call, info *types.Call) {
	a := p.accesses[call]
	idx := info.Args[len(info.Args)-1]
	if a.write {
		idx = info.Args[0]
	}
	switch t := p.info.Types[idx].(type) {
	case *types.Bit:
		if t.Signed || t.Width > SlotBits {
			p.errorf(idx.Pos(), "index of register %s has type %s; use bit<%d> or less", a.reg.Name, t, SlotBits)
		}
	case *types.Basic:
		if t != types.Int {
			p.errorf(idx.Pos(), "index of register %s has type %s", a.reg.Name, t)
		}
	default:
		p.errorf(idx.Pos(), "index of register %s has type %s", a.reg.Name, t)
	}
}
