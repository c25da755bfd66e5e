package smt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/interlock/interlock/verify"
)

// ErrMissing is wrapped by NewPool's error when a solver is not installed or does not run.
var ErrMissing = errors.New("solver missing")

// WorkerEnv names the environment variable that holds the path of the Z3 worker, where it is neither beside the running binary
// nor in PATH; it wins over both.
const WorkerEnv = "INTERLOCK_Z3"

// worker is the name of our Z3 worker's binary.
const worker = "interlock-z3"

// Limits of a solver that its SolverConfig does not set.
const (
	DefaultTimeout = 60 * time.Second
	DefaultMemory  = 4 << 30 // bytes of address space
	// DefaultZ3Rlimit and DefaultCvc5Rlimit are about 20 s of work each on a machine of 2020.
	DefaultZ3Rlimit   = 40_000_000
	DefaultCvc5Rlimit = 4_000_000
)

// Many obligations are small. Each is tried first by a warm process inside push and pop, with a part of the limits; what that
// does not settle goes to a process of its own with all of them, so that the outcome does not depend on what came before.
const (
	quickShare   = 400 // of Rlimit
	quickTimeout = 5 * time.Second
)

// SolverConfig says which solver to run, and how.
type SolverConfig struct {
	Name string // in results; "z3" is our worker unless Path says otherwise
	// Path of the binary, or its name to be looked up in PATH. Empty: for z3 the worker interlock-z3 (from $INTERLOCK_Z3, beside
	// the running binary, or in PATH), for other solvers the name.
	Path string
	Args []string // nil: what Z3 or cvc5, by what it prints for --version, needs to read standard input; none for other solvers
	// Processes is how many run at once; 0: one a CPU.
	Processes int
	Rlimit    uint64        // deterministic limit for one text, in the solver's own unit; 0: the default; of Z3 and cvc5 only
	Timeout   time.Duration // for one text, after which the process is killed; 0: DefaultTimeout
	Memory    uint64        // bytes of address space of a process; 0: DefaultMemory
}

// family is what differs between solvers.
type family struct {
	warmArgs, freshArgs []string
	// setup is sent to a new process before (set-logic ...).
	warmSetup, freshSetup string
	incremental           bool // it is known to decide many texts in one process
}

// resolve fills in defaults, finds the binary and asks it who it is.
func resolve(ctx context.Context, conf SolverConfig) (SolverConfig, family, verify.SolverInfo, error) {
	fail := func(err error) (SolverConfig, family, verify.SolverInfo, error) {
		return conf, family{}, verify.SolverInfo{}, fmt.Errorf("%w: %s: %w", ErrMissing, conf.Name, err)
	}
	if conf.Name == "" {
		return conf, family{}, verify.SolverInfo{}, errors.New("a solver has no name")
	}
	path, err := findSolver(conf)
	if err != nil {
		return fail(err)
	}
	conf.Path = path
	if conf.Processes <= 0 {
		conf.Processes = runtime.NumCPU()
	}
	if conf.Timeout <= 0 {
		conf.Timeout = DefaultTimeout
	}
	if conf.Memory == 0 {
		conf.Memory = DefaultMemory
	}
	version, library, err := askVersion(ctx, path)
	if err != nil {
		return fail(err)
	}
	var f family
	ours := isWorker(version)
	switch { // by what it says that it is, so that a copy of any name gets its limits
	case ours || strings.HasPrefix(version, "Z3 version"):
		if conf.Rlimit == 0 {
			conf.Rlimit = DefaultZ3Rlimit
		}
		if !ours {
			f.warmArgs = []string{"-in"}
		}
		f.freshArgs = f.warmArgs
		f.warmSetup = "(set-option :rlimit " + strconv.FormatUint(quickRlimit(conf.Rlimit), 10) + ")\n"
		f.freshSetup = "(set-option :rlimit " + strconv.FormatUint(conf.Rlimit, 10) + ")\n"
		f.incremental = true
	case strings.HasPrefix(version, "cvc5 version"):
		if conf.Rlimit == 0 {
			conf.Rlimit = DefaultCvc5Rlimit
		}
		f.warmArgs = []string{"--lang=smt2", "--incremental", "--rlimit-per=" + strconv.FormatUint(quickRlimit(conf.Rlimit), 10)}
		f.freshArgs = []string{"--lang=smt2", "--produce-models", "--rlimit-per=" + strconv.FormatUint(conf.Rlimit, 10)}
		f.incremental = true
	default:
		if conf.Rlimit != 0 {
			return conf, f, verify.SolverInfo{}, fmt.Errorf("solver %s: no way is known to give %q a resource limit", conf.Name, version)
		}
		f.freshSetup = "(set-option :produce-models true)\n"
	}
	if conf.Args != nil {
		f.warmArgs, f.freshArgs = conf.Args, conf.Args
	}

	binary, err := os.ReadFile(path)
	if err != nil {
		return fail(err)
	}
	info := verify.SolverInfo{Name: conf.Name, Version: version, Binary: verify.DigestOf(binary)}
	if library != "" {
		lib, err := os.ReadFile(library)
		if err != nil {
			return fail(err)
		}
		info.Options = append(info.Options, "library "+filepath.Base(library)+" "+string(verify.DigestOf(lib)))
	}
	if f.incremental {
		info.Options = append(info.Options, "first: "+describe(f.warmArgs, f.warmSetup))
	}
	info.Options = append(info.Options, "then: "+describe(f.freshArgs, f.freshSetup),
		"time-out "+conf.Timeout.String(), "memory "+strconv.FormatUint(conf.Memory, 10))
	return conf, f, info, nil
}

func quickRlimit(full uint64) uint64 { return max(full/quickShare, 1) }

func describe(args []string, setup string) string {
	return strings.TrimSpace(strings.Join(append(slices.Clone(args), strings.TrimSpace(setup)), " "))
}

func findSolver(conf SolverConfig) (string, error) {
	name := conf.Path
	if name == "" {
		name = conf.Name
		if name == "z3" {
			if path := os.Getenv(WorkerEnv); path != "" {
				return exec.LookPath(path)
			}
			if self, err := os.Executable(); err == nil {
				if path, err := exec.LookPath(filepath.Join(filepath.Dir(self), worker)); err == nil {
					return path, nil
				}
			}
			name = worker
		}
	}
	return exec.LookPath(name)
}

// isWorker tells whether version is what our Z3 worker prints.
func isWorker(version string) bool { return strings.HasPrefix(version, worker+",") }

// askVersion returns the first line of what the solver prints for --version, and the library that our worker names.
func askVersion(ctx context.Context, path string) (version, library string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return "", "", fmt.Errorf("%s --version: %w", path, err)
	}
	first, rest, _ := bytes.Cut(out, []byte("\n"))
	version = strings.TrimPrefix(strings.TrimSpace(string(first)), "This is ")
	if version == "" {
		return "", "", fmt.Errorf("%s --version prints nothing", path)
	}
	if isWorker(version) {
		second, _, _ := strings.Cut(string(rest), "\n")
		library = strings.TrimPrefix(second, "library ")
	}
	return version, library, nil
}
