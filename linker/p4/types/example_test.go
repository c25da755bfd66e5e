package types_test

import (
	"fmt"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// Check resolves the names of a tree and finds the types of its expressions. Uses and Calls say what each name and call means.
func ExampleCheck() {
	const src = `
T twice<T>(in T x) { return x; }
const bit<8> N = 3;
bit<8> f(in bit<8> a) { return twice(a + N); }
`
	prog, diags := syntax.Parse("f.p4", []byte(src), syntax.Config{})
	if err := diags.Err(); err != nil {
		fmt.Println(err)
		return
	}
	info, diags := types.Check(prog)
	prog.Complete(diags) // lines for the carets
	if err := diags.Err(); err != nil {
		fmt.Println(err)
		return
	}
	syntax.Walk(prog, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Call:
			c := info.Calls[n]
			fmt.Printf("%s: %s with %v\n", syntax.PrintNode(n), c.Callee.Name, c.TypeArgs)
		case *syntax.Name:
			if o := info.Uses[n.Ident]; o != nil && o.Value != nil {
				fmt.Printf("%s: declared at %v as %v\n", o.Name, o.Ident.Pos(), o.Value)
			}
		}
		return true
	})
	// Output:
	// twice(a + N): twice with [bit<8>]
	// N: declared at f.p4:3:14 as {3}
}
