package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/softswitch"
	"github.com/interlock/interlock/verify/smt"
)

// A scriptSwitch is the embedded switch that a script has to itself, at $SWITCH.
type scriptSwitch struct {
	address string
	// requests that could change something, so far; and at the last "mark".
	requests, marked atomic.Int64
	second           func() error // stops the other one
}

type switchKey struct{}

// TestScripts runs testdata/*.txtar. Besides testscript's own commands there are
//
//	site DIR              a copy of the example site, linked and proved in DIR/linked, for the switch at $SWITCH
//	copysite DIR DIR2     a copy of that copy, with a ledger of its own
//	exits CODE COMMAND    runs a command that must end with this exit code
//	sub FILE OLD NEW      replaces the one occurrence of OLD in FILE; \n is a line break
//	flip FILE OFFSET      flips a bit of one byte; a negative offset counts from the end
//	metered LEDGER X...   checks what is metered against the states that were read back, and that exports of the ledger say the same
//	stop                  stops the switch at $SWITCH2
//	mark, untouched       check that no request that could change anything reached the switch in between
//
// and the switch is new for each script, as is a second one at $SWITCH2. $TESTDATA is this module's testdata folder.
func TestScripts(t *testing.T) {
	base, command := prepared(t), interlockCommand(t)
	shared, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			s := &scriptSwitch{}
			var stop func() error
			s.address, stop, err = serveTestSwitch(softswitch.Options{OnRequest: func(proto.Message) error { s.requests.Add(1); return nil }})
			if err != nil {
				return err
			}
			e.Defer(func() {
				if err := stop(); err != nil {
					e.T().Fatal(err)
				}
			})
			e.Values[switchKey{}] = s
			e.Setenv("SWITCH", s.address)
			second, stopSecond, err := serveTestSwitch(softswitch.Options{OnRequest: func(proto.Message) error { s.requests.Add(1); return nil }})
			if err != nil {
				return err
			}
			s.second = sync.OnceValue(stopSecond)
			e.Defer(func() {
				if err := s.second(); err != nil {
					e.T().Fatal(err)
				}
			})
			e.Setenv("SWITCH2", second)
			e.Setenv("TESTDATA", shared)
			e.Setenv(smt.WorkerEnv, os.Getenv(smt.WorkerEnv))
			e.Setenv("PATH", filepath.Dir(command)+string(filepath.ListSeparator)+e.Getenv("PATH"))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %s", cond)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"site": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, neg, args, 1)
				s := ts.Value(switchKey{}).(*scriptSwitch)
				ts.Check(copySite(base, ts.MkAbs(args[0]), s.address))
			},
			"copysite": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, neg, args, 2)
				s := ts.Value(switchKey{}).(*scriptSwitch)
				ts.Check(copySite(ts.MkAbs(args[0]), ts.MkAbs(args[1]), s.address))
			},
			"exits":   scriptExits,
			"metered": scriptMetered,
			"sub": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, neg, args, 3)
				text := ts.ReadFile(args[0])
				unescape := strings.NewReplacer(`\n`, "\n")
				old, now := unescape.Replace(args[1]), unescape.Replace(args[2])
				if n := strings.Count(text, old); n != 1 {
					ts.Fatalf("%q occurs %d times in %s", old, n, args[0])
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, old, now, 1)), 0o644))
			},
			"flip": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, neg, args, 2)
				b := []byte(ts.ReadFile(args[0]))
				at, err := strconv.Atoi(args[1])
				ts.Check(err)
				if at < 0 {
					at += len(b)
				}
				b[at] ^= 1
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
			},
			"stop": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, neg, args, 0)
				ts.Check(ts.Value(switchKey{}).(*scriptSwitch).second())
			},
			"mark": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, neg, args, 0)
				s := ts.Value(switchKey{}).(*scriptSwitch)
				s.marked.Store(s.requests.Load())
			},
			"untouched": func(ts *testscript.TestScript, neg bool, args []string) {
				if len(args) > 0 {
					ts.Fatalf("untouched takes no arguments")
				}
				s := ts.Value(switchKey{}).(*scriptSwitch)
				if n := s.requests.Load() - s.marked.Load(); (n == 0) == neg {
					ts.Fatalf("%d requests reached the switch", n)
				}
			},
		},
	})
}

// usage fails a script that uses one of its commands wrongly.
func usage(ts *testscript.TestScript, neg bool, args []string, n int) {
	if neg || len(args) != n {
		ts.Fatalf("takes %d arguments and no !", n)
	}
}

// scriptExits runs a command and compares its exit code.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("%s ended with %d, want %d", strings.Join(args[1:], " "), code, want)
	}
}
