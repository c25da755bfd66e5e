package p4_test

import (
	"fmt"
	"os"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/syntax"
)

// Load reads a program, with core.p4 and v1model.p4 at hand, and checks it. What it finds out about names, types and
// constants is in the Info; what it has to complain about, with positions, in the Diagnostics.
func ExampleLoad() {
	const src = `
#include <core.p4>

const bit<8> TTL = 64 - 1;

control Age(inout bit<8> ttl) {
    apply { ttl = ttl |-| TTL; }
}
`
	info, diags := p4.Load("age.p4", []byte(src))
	if err := diags.Err(); err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range info.Program.Decls {
		if d.Pos().File == "age.p4" {
			o := info.Defs[d.DeclName()]
			fmt.Printf("%v: %s is a %v\n", d.Pos(), o.Name, o.Type)
		}
	}
	// Output:
	// age.p4:4:1: TTL is a bit<8>
	// age.p4:6:1: Age is a Age
}

// Every error is reported in one run, each with its line and, where a macro or an #include hides it, the way there.
func ExampleLoad_errors() {
	const src = `#define HALF(x) (x / y)
const bit<8> a = true;
const int b = HALF(4);
`
	_, diags := p4.Load("bad.p4", []byte(src))
	for _, d := range diags {
		fmt.Println(d.Error())
		for _, n := range d.Notes {
			fmt.Printf("%v: note: %s\n", n.Pos, n.Msg)
		}
	}
	// Output:
	// bad.p4:2:18: error[P4208]: a value of type bool stands where bit<8> is wanted
	// bad.p4:3:15: error[P4201]: y is not declared
	// bad.p4:1:22: note: expanded from macro HALF
}

// Types and values of expressions are found by node. Values has those that are known at compile time.
func ExampleLoad_expressions() {
	const src = `
const bit<16> BASE = 0x0800;
bit<16> next(in bit<16> x) { return x + (BASE << 1); }
`
	info, diags := p4.Load("expr.p4", []byte(src))
	if err := diags.Err(); err != nil {
		fmt.Println(err)
		return
	}
	syntax.Walk(info.Program, func(n syntax.Node) bool {
		if x, ok := n.(*syntax.Binary); ok {
			fmt.Printf("%v: %s is a %v", x.Pos(), syntax.PrintNode(x), info.Types[x])
			if v, ok := info.Values[x]; ok {
				fmt.Printf(" and always %v", v)
			}
			fmt.Println()
		}
		return true
	})
	// Output:
	// expr.p4:3:37: x + (BASE << 1) is a bit<16>
	// expr.p4:3:42: BASE << 1 is a bit<16> and always {4096}
}

// Options.Cache makes many programs cheap: each costs little more than its own text.
func ExampleLoadWith() {
	opts := p4.Options{
		IncludePath: []string{"include"},
		Defines:     map[string]string{"SLOTS": "1024"},
		Cache:       &syntax.Cache{},
	}
	for _, name := range []string{"a.p4", "b.p4"} {
		_, diags := p4.LoadWith(name, []byte("#include <v1model.p4>\nregister<bit<32>>(SLOTS) r;\n"), opts)
		fmt.Println(name, diags.HasErrors())
	}
	// Output:
	// a.p4 false
	// b.p4 false
}

// A program can be printed again; what is printed parses to the same tree.
func Example_print() {
	info, diags := p4.Load("print.p4", []byte("header h_t{bit<8>a;} const int x=(1+2)*3;"))
	if err := diags.Err(); err != nil {
		fmt.Println(err)
		return
	}
	if err := syntax.Print(os.Stdout, info.Program); err != nil {
		fmt.Println(err)
	}
	// Output:
	// header h_t {
	//     bit<8> a;
	// }
	//
	// const int x = (1 + 2) * 3;
}
