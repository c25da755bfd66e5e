//go:build cgo

// Command interlock-z3 is Interlock's Z3 worker: it reads SMT-LIB 2 on standard input and answers on standard output, as `z3 -in`
// does, and is the only binary that needs cgo and libz3. What it reads up to and including a line that is one (echo "...")
// command is one request and is evaluated at once. It sets no limits of its own: whoever starts it kills it. It holds nothing
// that is worth attacking, and a wrong answer of its is what a second solver is for.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/interlock/interlock/verify/smt/z3"
)

func main() {
	if len(os.Args) > 1 {
		if len(os.Args) == 2 && (os.Args[1] == "--version" || os.Args[1] == "version") {
			fmt.Printf("interlock-z3, %s\nlibrary %s\n", z3.Version(), z3.Library())
			return
		}
		fmt.Fprintln(os.Stderr, "usage: interlock-z3 [--version]\nReads SMT-LIB 2 on standard input; interlock starts it by itself.")
		os.Exit(2)
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "interlock-z3:", err)
		os.Exit(4)
	}
}

// serve evaluates requests until the input ends.
func serve(in io.Reader, out io.Writer) error {
	ctx, err := z3.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Close()
	r := bufio.NewReaderSize(in, 1<<16)
	w := bufio.NewWriterSize(out, 1<<16)
	var request bytes.Buffer
	start := 0 // of the current line in request
	for {
		part, err := r.ReadSlice('\n')
		request.Write(part)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read: %w", err)
		}
		last := errors.Is(err, io.EOF)
		if last || isEcho(request.Bytes()[start:]) {
			if _, err := w.WriteString(ctx.Eval(request.String())); err != nil {
				return fmt.Errorf("write: %w", err)
			}
			request.Reset()
			// More requests may be here already; their answers go out together.
			if last || r.Buffered() == 0 {
				if err := w.Flush(); err != nil {
					return fmt.Errorf("write: %w", err)
				}
			}
		}
		if last {
			return nil
		}
		start = request.Len()
	}
}

func isEcho(line []byte) bool {
	return bytes.HasPrefix(line, []byte(`(echo "`)) && bytes.HasSuffix(line, []byte("\")\n"))
}
