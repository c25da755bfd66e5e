package smt

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/interlock/interlock/verify"
)

// Close leaves neither processes nor goroutines behind, and neither does a solver that had to be killed.
func TestCloseLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	pids := filepath.Join(t.TempDir(), "pids")
	conf := fakeSolver(t, fakeZ3, "echo $$ >>"+pids+"\nanswer=unsat\n"+strings.Replace(echoes, "esac", "*hang*) sleep 1000;;\nesac", 1))
	conf.Processes, conf.Timeout = 3, 2*time.Second
	p, err := NewPool([]SolverConfig{conf})
	if err != nil {
		t.Fatal(err)
	}
	obligations := []verify.Obligation{
		ob("a", "QF_LIA", no, yes), ob("b", "QF_BV", "(assert false)\n", ""), ob("c", "QF_UF", "(declare-fun hang () Bool)\n", ""),
	}
	if _, err := p.Decide(context.Background(), obligations, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	started := strings.Fields(string(b))
	if len(started) < 3 {
		t.Fatalf("only %d processes were started", len(started))
	}
	for _, s := range started {
		if pid, _ := strconv.Atoi(s); alive(pid) {
			t.Errorf("process %d lives on", pid)
		}
	}
}

func alive(pid int) bool {
	if err := syscall.Kill(pid, 0); err != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// When we are killed, our solvers are too, whatever they are doing.
func TestSolversDieWithUs(t *testing.T) {
	const env = "SMT_TEST_ORPHAN"
	if path := os.Getenv(env); path != "" {
		p, err := startProcess(path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		lines, _ := p.ask(context.Background(), time.Minute, "")
		os.Stdout.WriteString("child " + lines[0] + "\n")
		time.Sleep(time.Hour)
	}
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("needs /proc")
	}
	conf := fakeSolver(t, fakeZ3, "echo $$\n"+echoes+"sleep 1000")
	cmd := exec.Command(os.Args[0], "-test.run=^TestSolversDieWithUs$")
	cmd.Env = append(os.Environ(), env+"="+conf.Path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var child int
	for s := bufio.NewScanner(out); s.Scan(); {
		if pid, ok := strings.CutPrefix(s.Text(), "child "); ok {
			child, _ = strconv.Atoi(pid)
			break
		}
	}
	if child == 0 || !alive(child) {
		t.Fatalf("no solver was started (pid %d)", child)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for range 100 {
		if !alive(child) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the solver (pid %d) lives on", child)
}
