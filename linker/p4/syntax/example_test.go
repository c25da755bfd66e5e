package syntax_test

import (
	"fmt"
	"os"

	"github.com/interlock/interlock/linker/p4/syntax"
)

const ethernet = `
typedef bit<48> mac_t; // an address

// What every frame starts with.
header ethernet_t {
    mac_t   dst;
    mac_t   src;
    bit<16> etype;
}
`

func ExampleParse() {
	prog, diags := syntax.Parse("eth.p4", []byte(ethernet), syntax.Config{})
	if err := diags.Err(); err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range prog.Decls {
		fmt.Println(d.Pos(), d.DeclName().Name)
	}
	// Output:
	// eth.p4:2:1 mac_t
	// eth.p4:5:1 ethernet_t
}

// Errors come with their places, all in one run.
func ExampleDiagnostics_Render() {
	_, diags := syntax.Parse("x.p4", []byte("const bit<8> x = 3 +;\nconst bit<8> y = 08x;\n"), syntax.Config{})
	if err := diags.Render(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// x.p4:1:21: error[P4101]: expected an expression, found ;
	//     const bit<8> x = 3 +;
	//                         ^
	// x.p4:2:18: error[P4004]: malformed number 08x
	//     const bit<8> y = 08x;
	//                      ^~~
}

func ExampleProgram_Doc() {
	prog, _ := syntax.Parse("eth.p4", []byte(ethernet), syntax.Config{})
	for _, d := range prog.Decls {
		fmt.Printf("%s: %q\n", d.DeclName().Name, prog.Doc(d).Text())
	}
	// Output:
	// mac_t: ""
	// ethernet_t: "What every frame starts with."
}

func ExampleWalk() {
	prog, _ := syntax.Parse("eth.p4", []byte(ethernet), syntax.Config{})
	syntax.Walk(prog, func(n syntax.Node) bool {
		if f, ok := n.(*syntax.Field); ok {
			fmt.Println(f.Name.Name, "is", syntax.PrintNode(f.Type))
		}
		return true
	})
	// Output:
	// dst is mac_t
	// src is mac_t
	// etype is bit<16>
}

// A tree can be changed and printed; the text parses again to an equal tree.
func ExamplePrint() {
	prog, _ := syntax.Parse("eth.p4", []byte(ethernet), syntax.Config{})
	for _, d := range prog.Decls {
		if h, ok := d.(*syntax.StructDecl); ok {
			h.Name.Name = "tenant_ethernet_t"
		}
	}
	if err := syntax.Print(os.Stdout, prog); err != nil {
		fmt.Println(err)
	}
	// Output:
	// typedef bit<48> mac_t;
	//
	// header tenant_ethernet_t {
	//     mac_t dst;
	//     mac_t src;
	//     bit<16> etype;
	// }
}

// A position says where the user finds the text, and Trail how the preprocessor came there.
func ExamplePos_Trail() {
	conf := syntax.Config{Defines: map[string]string{"FIELD(n)": "bit<8> n;"}}
	prog, _ := syntax.Parse("fields.p4", []byte("#define PAIR(a, b) FIELD(a) FIELD(b)\nstruct s_t { PAIR(x, y) }"), conf)
	syntax.Walk(prog, func(n syntax.Node) bool {
		if t, ok := n.(*syntax.BaseType); ok {
			fmt.Println(t.Pos())
			for _, note := range t.Pos().Trail() {
				fmt.Println("  ", note.Pos, note.Msg)
			}
			return false
		}
		return true
	})
	// Output:
	// fields.p4:2:14
	//    <command line>:1:10 expanded from macro FIELD
	//    fields.p4:1:20 expanded from macro PAIR
	// fields.p4:2:14
	//    <command line>:1:10 expanded from macro FIELD
	//    fields.p4:1:29 expanded from macro PAIR
}
