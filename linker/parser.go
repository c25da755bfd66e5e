package linker

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// checkParser checks what the linker needs to know of a tenant's parser before it is inlined into the system's: that it begins
// with the Ethernet header, which the system has parsed, and that it ends.
func (t *tenant) checkParser() {
	for _, d := range t.parser.Locals {
		switch d.(type) {
		case *syntax.VarDecl, *syntax.ConstDecl:
		default:
			t.errorf(d.Pos(), CodeUnsupported, "only variables and constants are supported yet among a parser's declarations")
		}
	}
	states := map[string]*syntax.StateDecl{}
	for _, s := range t.parser.States {
		states[s.Name.Name] = s
	}
	for _, s := range t.parser.States {
		for _, n := range successors(s) {
			if n.Name != "accept" && n.Name != "reject" && states[n.Name] == nil {
				t.errorf(n.Pos(), CodeProgram, "there is no state %s", n.Name)
				return
			}
		}
	}
	if states["start"] == nil {
		t.errorf(t.parser.Pos(), CodeProgram, "parser %s has no start state", t.parser.Name.Name)
		return
	}
	t.loops(states)
	t.findEthernet(states)
}

// successors of a state, as written. A state without a transition rejects.
func successors(s *syntax.StateDecl) []*syntax.Ident {
	switch {
	case s.Transition == nil:
		return nil
	case s.Transition.Select == nil:
		return []*syntax.Ident{s.Transition.Next}
	}
	var out []*syntax.Ident
	for _, c := range s.Transition.Select.Cases {
		out = append(out, c.Next)
	}
	return out
}

// loops refuses parser loops: the number of steps that a packet can cause would have no bound of its own.
func (t *tenant) loops(states map[string]*syntax.StateDecl) {
	const (
		open = 1
		done = 2
	)
	mark := map[string]int{}
	var visit func(name string)
	visit = func(name string) {
		mark[name] = open
		for _, n := range successors(states[name]) {
			switch {
			case states[n.Name] == nil:
			case mark[n.Name] == open:
				t.errorf(n.Pos(), CodeLoop, "parser loop: state %s leads back to state %s; loops are not supported yet", name, n.Name)
			case mark[n.Name] == 0:
				visit(n.Name)
			}
		}
		mark[name] = done
	}
	for _, s := range t.parser.States {
		if mark[s.Name.Name] == 0 {
			visit(s.Name.Name)
		}
	}
}

// findEthernet finds the extraction that the system's copy replaces: the first thing that every packet meets.
func (t *tenant) findEthernet(states map[string]*syntax.StateDecl) {
	hdr := t.info.Defs[t.parser.Params[1].Name]
	s := states["start"]
	for steps := 0; t.first == nil; steps++ {
		for _, st := range s.Body {
			if !t.reads(st) {
				continue
			}
			call, ok := st.(*syntax.CallStmt)
			var field string
			if ok {
				if info := t.info.Calls[call.Call]; info.Method == "extract" && len(info.Args) == 1 {
					field, ok = t.headerField(info.Args[0], hdr)
				} else {
					ok = false
				}
			}
			if ok {
				if i := t.headers.FieldIndex(field); i >= 0 {
					if h, isStruct := t.headers.Fields[i].Type.(*types.Struct); isStruct {
						t.ethernet, ok = ethernetOf(h)
						t.ethernet.Field = field
					}
				}
			}
			if !ok {
				t.errorf(st.Pos(), CodeEthernet, "the first thing a tenant's parser reads must be an Ethernet header (bit<48>, bit<48>, bit<16>) of its headers; the system has parsed it")
				return
			}
			t.first = call
			break
		}
		if t.first != nil {
			break
		}
		if s.Transition == nil || s.Transition.Next == nil || states[s.Transition.Next.Name] == nil || steps > len(states) {
			t.errorf(s.Pos(), CodeEthernet, "every packet must meet the extraction of the Ethernet header; state %s does not lead to it unconditionally", s.Name.Name)
			return
		}
		s = states[s.Transition.Next.Name]
	}
	for _, st := range t.parser.States {
		syntax.Walk(st, func(n syntax.Node) bool {
			c, ok := n.(*syntax.Call)
			if !ok || c == t.first.Call {
				return true
			}
			if info := t.info.Calls[c]; info != nil && info.Method == "extract" && len(info.Args) > 0 {
				if f, ok := t.headerField(info.Args[0], hdr); !ok {
					t.errorf(c.Pos(), CodeUnsupported, "extracts into what is not a field of the headers; that is not supported yet")
				} else if f == t.ethernet.Field {
					t.errorf(c.Pos(), CodeEthernet, "the Ethernet header is extracted a second time")
				}
			}
			return true
		})
	}
}

// reads says whether a statement takes something from the packet.
func (t *tenant) reads(s syntax.Stmt) bool {
	found := false
	syntax.Walk(s, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.Call); ok {
			if info := t.info.Calls[c]; info != nil && info.Kind == types.MethodCall {
				found = true
			}
		}
		return true
	})
	return found
}
