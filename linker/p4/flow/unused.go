package flow

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// usage is how often a name occurs, and how.
type usage struct{ all, assigned int }

// unused finds names that nothing uses. Of the names at top level only those of the program's own file are meant: a file that it
// includes may serve other programs too, and a program without main is itself such a file.
func (a *analysis) unused() {
	uses := map[*types.Object]*usage{}
	of := func(o *types.Object) *usage {
		if uses[o] == nil {
			uses[o] = &usage{}
		}
		return uses[o]
	}
	for _, o := range a.info.Uses {
		of(o).all++
	}
	syntax.Walk(a.info.Program, func(n syntax.Node) bool {
		if s, ok := n.(*syntax.AssignStmt); ok {
			if o := a.variable(s.LHS); o != nil {
				of(o).assigned++
			}
		}
		return true
	})
	main := a.info.Program.Pos().File
	syntax.Walk(a.info.Program, func(n syntax.Node) bool {
		switch d := n.(type) {
		case *syntax.FunctionDecl:
			if d.Body == nil {
				return false
			}
		case *syntax.ParserDecl:
			if d.Proto {
				return false
			}
		case *syntax.ControlDecl:
			if d.Proto {
				return false
			}
		case *syntax.ExternDecl, *syntax.PackageDecl:
			return false
		case *syntax.InstanceDecl:
			// The methods that an instance defines are called from elsewhere.
			a.unusedName(d.Name, *of(a.info.Defs[d.Name]), main)
			return false
		case *syntax.Ident:
			if o := a.info.Defs[d]; o != nil && o.Kind != types.InstanceObject {
				a.unusedName(d, *of(o), main)
			}
		}
		return true
	})
}

// variable is the local variable that an assignment writes, wholly or in part.
func (a *analysis) variable(e syntax.Expr) *types.Object {
	switch e := syntax.Unparen(e).(type) {
	case *syntax.Name:
		if o := a.info.Uses[e.Ident]; o != nil && o.Kind == types.VarObject {
			return o
		}
	case *syntax.Member:
		return a.variable(e.X)
	case *syntax.Index:
		return a.variable(e.X)
	case *syntax.Slice:
		return a.variable(e.X)
	case *syntax.PlusSlice:
		return a.variable(e.X)
	}
	return nil
}

func (a *analysis) unusedName(id *syntax.Ident, n usage, main string) {
	o := a.info.Defs[id]
	if o == nil || n.all > n.assigned || id.Name == "_" {
		return
	}
	if o.Parent == nil && (a.info.Main == nil || id.Pos().File != main) {
		return
	}
	switch o.Kind {
	case types.VarObject:
		if n.assigned > 0 {
			a.warn(id, codeNeverRead, "%s is assigned and never read", id.Name)
			return
		}
		if s, ok := o.Decl.(*syntax.ForInStmt); ok && s.Var == id {
			return // a loop that only counts
		}
		a.warn(id, codeUnused, "%s is unused", id.Name)
	case types.ConstObject:
		if _, ok := o.Decl.(*syntax.ConstDecl); ok {
			a.warn(id, codeUnused, "constant %s is unused", id.Name)
		}
	case types.InstanceObject, types.ValueSetObject:
		if o != a.info.Main {
			a.warn(id, codeUnused, "%s is unused", id.Name)
		}
	case types.TypeObject:
		switch o.Decl.(type) {
		case *syntax.StructDecl, *syntax.EnumDecl, *syntax.TypedefDecl:
			a.warn(id, codeUnused, "type %s is unused", id.Name)
		}
	case types.ActionObject:
		a.warn(id, codeUnusedAction, "action %s is in no table and never called", id.Name)
	case types.TableObject:
		a.warn(id, codeNotApplied, "table %s is never applied", id.Name)
	case types.ParserObject, types.ControlObject, types.FunctionObject:
		a.warn(id, codeUnusedCode, "%s is unused", id.Name)
	case types.ParamObject:
		p, ok := o.Decl.(*syntax.Param)
		if ok && o.Parent != nil && o.Parent.Kind == types.ActionObject && p.Dir == syntax.NoDir {
			a.warn(id, codeUnusedData, "action %s does not use its data %s", o.Parent.Name, id.Name)
		}
	}
}
