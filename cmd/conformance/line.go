package main

import (
	"fmt"
	"sort"
	"strings"
	"sync"
)

// goals are the lines in the order in which they are printed, with the percentage that each must reach.
var goals = []struct {
	name string
	goal int
}{
	{"accept-v1model", 100},
	{"accept-core", 100},
	{"accept-other", 95},
	{"reject", 97},
	{"p4info", 98},
	{"entries", 98},
	{"roundtrip", 100},
	{"nested", 100},
	{"install", 95},
	{"stf", 98},
	{"world", 100},
	{"world-wrong", 100},
}

// line counts the tests of one kind.
type line struct {
	name          string
	goal          int
	passed, total int
	failures      []failure
	notes         []failure // worth reading, though the test passed
}

// failure is a test that did not pass.
type failure struct {
	file  string
	group string // what failures of one cause have in common: the code of a diagnostic, "panic", ...
	cause string
}

// String is the line as it is printed.
func (l *line) String() string {
	percent := 0.0
	if l.total > 0 {
		percent = 100 * float64(l.passed) / float64(l.total)
	}
	s := fmt.Sprintf("%-15s %d/%d (%.1f %%, must reach %d %%)", l.name, l.passed, l.total, percent, l.goal)
	if !l.reached() {
		s += " BELOW"
	}
	return s
}

// reached reports whether the line is at its goal; a line without tests is not.
func (l *line) reached() bool { return l.total > 0 && 100*l.passed >= l.goal*l.total }

// report lists the failures, the most frequent kind of cause first.
func (l *line) report(b *strings.Builder) {
	fmt.Fprintf(b, "== %s\n", l)
	listed(b, l.failures, "failed", knownWrong[l.name])
	listed(b, l.notes, "no failure, but", nil)
	b.WriteByte('\n')
}

func listed(b *strings.Builder, fs []failure, what string, wrong map[string]string) {
	count := map[string]int{}
	for _, f := range fs {
		count[f.group]++
	}
	sort.Slice(fs, func(i, j int) bool {
		x, y := fs[i], fs[j]
		if x.group != y.group {
			if count[x.group] != count[y.group] {
				return count[x.group] > count[y.group]
			}
			return x.group < y.group
		}
		return x.file < y.file
	})
	for i, f := range fs {
		if i == 0 || f.group != fs[i-1].group {
			fmt.Fprintf(b, "-- %s: %s, %d times\n", what, f.group, count[f.group])
		}
		cause := strings.ReplaceAll(strings.TrimSpace(f.cause), "\n", "\n\t\t")
		fmt.Fprintf(b, "%s\n\t%s\n", f.file, cause)
		if why, ok := wrong[f.file]; ok {
			fmt.Fprintf(b, "\tnot ours: %s\n", why)
		}
	}
}

func newBoard() *board {
	b := &board{lines: map[string]*line{}}
	for _, l := range goals {
		b.lines[l.name] = &line{name: l.name, goal: l.goal}
	}
	return b
}

// board takes results from several files at a time.
type board struct {
	mu    sync.Mutex
	lines map[string]*line
}

// pass counts a test that passed; note, if it has a cause, says what is odd about it.
func (b *board) pass(name string, note failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lines[name]
	l.total++
	l.passed++
	if note.cause != "" {
		l.notes = append(l.notes, note)
	}
}

// note says something in a line's report without counting anything.
func (b *board) note(name string, note failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines[name].notes = append(b.lines[name].notes, note)
}

func (b *board) fail(name string, f failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lines[name]
	l.total++
	l.failures = append(l.failures, f)
}
