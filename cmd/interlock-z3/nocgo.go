//go:build !cgo

// Command interlock-z3 is Interlock's Z3 worker; built without cgo it has no Z3 and says so.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "interlock-z3: built without cgo, so there is no Z3 in it; build it with CGO_ENABLED=1 and libz3-dev")
	os.Exit(4)
}
