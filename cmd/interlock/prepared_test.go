package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/interlock/interlock/api/softswitch"
	"github.com/interlock/interlock/verify/smt"
)

// TestMain lets the test binary, under the name interlock, be the command.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "interlock" {
		main()
	}
	code := m.Run()
	if dir, err := scratch(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// interlockCommand returns the path of the command.
func interlockCommand(t testing.TB) string {
	t.Helper()
	path, err := linkCommand()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var linkCommand = sync.OnceValues(func() (string, error) {
	dir, err := scratch()
	if err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "bin", "interlock")
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.Symlink(self, path)
})

// scratch is removed when the tests are done.
var scratch = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "interlock-test-") })

// worker returns the path of the Z3 worker: $INTERLOCK_Z3, or one that is built for the tests. Without libz3 it skips the test.
func worker(t testing.TB) string {
	t.Helper()
	path, err := buildWorker()
	if err != nil {
		if text := err.Error(); strings.Contains(text, "z3.h") || strings.Contains(text, "-lz3") {
			t.Skipf("libz3 is missing, so there is no solver to test with (apt-get install libz3-dev): %v", err)
		}
		t.Fatal(err)
	}
	return path
}

var buildWorker = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(smt.WorkerEnv); path != "" {
		_, err := os.Stat(path)
		return path, err
	}
	dir, err := scratch()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "interlock-z3")
	cmd := exec.Command("go", "build", "-o", path, "../interlock-z3")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the Z3 worker: %w: %s", err, out)
	}
	return path, nil
})

// prepared returns a folder with the example site as init writes it (in site, asking only Z3), linked and proved (in site/linked). It is
// made once; tests work on copies.
func prepared(t testing.TB) string {
	t.Helper()
	t.Setenv(smt.WorkerEnv, worker(t))
	dir, err := prepareOnce()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var prepareOnce = sync.OnceValues(func() (string, error) {
	root, err := scratch()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "prepared")
	quiet := func(args ...string) error {
		c := newRoot()
		c.SetArgs(args)
		c.SetOut(io.Discard)
		return c.ExecuteContext(context.Background())
	}
	if err := quiet("init", dir); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "site.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	const second = "  - name: cvc5\n    required: true\n"
	if strings.Count(string(text), second) != 1 {
		return "", fmt.Errorf("%s does not ask cvc5 as the tests expect it", path)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), second, "", 1)), 0o644); err != nil {
		return "", err
	}
	linked := filepath.Join(dir, "linked")
	if err := quiet("link", "-s", path, "-o", linked); err != nil {
		return "", err
	}
	return dir, quiet("prove", linked)
})

// copySite copies a prepared site, or a copy of one, and lets the copy use another switch.
func copySite(from, to, address string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(to, "ledger", "key"), 0o600); err != nil { // CopyFS widens modes
		return err
	}
	path := filepath.Join(to, "linked", originFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var o origin
	if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	return writeOrigin(filepath.Join(to, "linked"), origin{Site: filepath.Join(to, "site.yaml"), Address: address})
}

// serveTestSwitch runs an embedded switch on loopback until stop is called.
func serveTestSwitch(opts softswitch.Options) (address string, stop func() error, err error) {
	opts.DeviceID = 1
	s := softswitch.New(opts)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	return l.Addr().String(), func() error {
		cancel()
		return errors.Join(<-done, s.Close())
	}, nil
}
