package format_test

import (
	"errors"
	"fmt"

	"github.com/interlock/interlock/linker/p4/format"
	"github.com/interlock/interlock/linker/p4/syntax"
)

func ExampleSource() {
	out, err := format.Source("drop.p4", []byte(`
#include <v1model.p4>
const bit<16> TYPE_IPV4=0x0800; // the only one
const bit<9> CPU=510;
control Drop(inout headers_t hdr, inout standard_metadata_t sm)
{
#ifdef COUNT
  COUNTER( drops )
#endif
  apply { if(hdr.ipv4.ttl==0){mark_to_drop(sm);} }
}`))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(string(out))
	// Output:
	// #include <v1model.p4>
	// const bit<16> TYPE_IPV4 = 0x0800; // the only one
	// const bit<9>  CPU       = 510;
	//
	// control Drop(inout headers_t hdr, inout standard_metadata_t sm) {
	// #ifdef COUNT
	//     COUNTER(drops)
	// #endif
	//     apply {
	//         if (hdr.ipv4.ttl == 0) {
	//             mark_to_drop(sm);
	//         }
	//     }
	// }
}

// What cannot be a part of a program is refused, with the place.
func ExampleSource_refused() {
	_, err := format.Source("sum.p4", []byte("const int sum = 1 + ;\n"))
	var diags syntax.Diagnostics
	if errors.As(err, &diags) {
		fmt.Println(diags[0].Pos.Line, diags[0].Pos.Col, diags[0].Msg)
	}
	// Output: 1 21 unexpected ; after +
}
