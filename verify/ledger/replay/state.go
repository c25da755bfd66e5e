package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/program"
	"github.com/interlock/interlock/verify/replace"
)

// State is a file with what a replay has settled, a JSON text a line, the first of which says what the rest is good for. It is the
// auditor's own: whoever can write it can make a replay say anything.
type State struct {
	mu   sync.Mutex
	file *os.File
	has  map[string]Result // by the entry's leaf hash
}

// ErrOtherReplay says that a state is of another solver, or of another version of the encoders.
var ErrOtherReplay = errors.New("it is of another replay")

// stateHead is a state's first line.
type stateHead struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Solver     verify.SolverInfo `json:"solver"`
	Encoders   []string          `json:"encoders"`
}

type stateLine struct {
	Leaf   string `json:"leaf"`
	Result Result `json:"result"`
}

func newHead(solver verify.SolverInfo) stateHead {
	return stateHead{"interlock/v1alpha1", "ReplayState", solver, []string{program.EncoderVersion, plan.EncoderVersion, replace.EncoderVersion}}
}

// OpenState opens the state at path for a replay with solver, and makes it where there is none. A last line that was cut off is dropped.
func OpenState(path string, solver verify.SolverInfo) (*State, error) {
	want, err := json.Marshal(newHead(solver))
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	s := &State{has: map[string]Result{}}
	whole := bytes.LastIndexByte(b, '\n') + 1
	lines := bufio.NewScanner(bytes.NewReader(b[:whole]))
	lines.Buffer(nil, 1<<24)
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			var head stateHead
			if err := verify.StrictJSON(lines.Bytes(), &head); err != nil {
				return nil, fmt.Errorf("%s is no state of a replay: %w", path, err)
			}
			if !slices.Equal(lines.Bytes(), want) {
				return nil, fmt.Errorf("%s: %w: it is by %s %s", path, ErrOtherReplay, head.Solver.Name, head.Solver.Version)
			}
			continue
		}
		var l stateLine
		if err := verify.StrictJSON(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		s.has[l.Leaf] = l.Result
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	err = s.file.Truncate(int64(whole))
	if err == nil {
		_, err = s.file.Seek(int64(whole), 0)
	}
	if err == nil && whole == 0 {
		_, err = s.file.Write(append(want, '\n'))
	}
	if err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the file.
func (s *State) Close() error {
	if s == nil {
		return nil
	}
	return s.file.Close()
}

// known is the result of an entry that is settled. What was undecided or contradicted is tried again.
func (s *State) known(leaf string) (Result, bool) {
	if s == nil {
		return Result{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.has[leaf]
	return r, ok && (r.Outcome == Confirmed || r.Outcome == TextOnly)
}

func (s *State) keep(leaf string, r Result) error {
	if s == nil {
		return nil
	}
	b, err := json.Marshal(stateLine{leaf, r})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.has[leaf] = r
	_, err = s.file.Write(append(b, '\n'))
	return err
}
