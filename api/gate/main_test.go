package gate_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/interlock/interlock/verify/smt"
)

// solvers are shared by all tests: what a plan's obligations have in common is decided once.
var solvers struct {
	sync.Mutex
	pools map[string]*smt.Pool
}

func TestMain(m *testing.M) {
	code := m.Run()
	if testing.Verbose() {
		printCounts(os.Stdout)
	}
	for name, p := range solvers.pools {
		if err := p.Close(); err != nil {
			fmt.Fprintf(os.Stderr, "solver %s: %v\n", name, err)
			code = 1
		}
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// solver is Z3 (our worker if it is there, else Debian's binary) or another solver that is installed.
func solver(t testing.TB, name string) *smt.Pool {
	t.Helper()
	solvers.Lock()
	defer solvers.Unlock()
	if p := solvers.pools[name]; p != nil {
		return p
	}
	p := newSolver(t, name)
	if solvers.pools == nil {
		solvers.pools = map[string]*smt.Pool{}
	}
	solvers.pools[name] = p
	return p
}

func newSolver(t testing.TB, name string) *smt.Pool {
	t.Helper()
	p, err := smt.NewPool([]smt.SolverConfig{{Name: name}})
	if err != nil {
		p, err = smt.NewPool([]smt.SolverConfig{{Name: name, Path: name}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}
