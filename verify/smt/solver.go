package smt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/interlock/interlock/verify"
)

// Status is what a solver says of one text.
type Status string

// Statuses. Failed is any answer that does not count: an error line, a crash, output that is not understood.
const (
	Sat     Status = "sat"
	Unsat   Status = "unsat"
	Unknown Status = "unknown"
	Failed  Status = "error"
)

// Answer to one text.
type Answer struct {
	Status Status
	Reason string // of Unknown and Failed; of a model that is missing
	Model  string // as the solver printed it
	Time   time.Duration
	Cached bool

	logic string // of the text, if it is well formed
}

// DecideOptions of one text.
type DecideOptions struct {
	WantModel bool // of a text that is satisfiable
}

// A Solver decides texts. It is safe for concurrent use.
type Solver interface {
	Info() verify.SolverInfo
	// Decide answers text, which CheckText accepts. What goes wrong with the solver is in the answer; the error is ctx's.
	Decide(ctx context.Context, text string, opt DecideOptions) (Answer, error)
	// DecideParts answers the questions of a script as far as one process settles them quickly.
	DecideParts(ctx context.Context, logic string, parts []string) ([]Answer, error)
	// Close kills the solver's processes.
	Close() error
}

// Limits of a process's life, and of how far requests run ahead of replies.
const (
	maxTexts  = 20_000 // decided by one warm process before it is replaced: symbols pile up in it
	batchSize = 64
	batchText = 4096 // bytes: these take a process a few times as long as it takes to reach it
)

// solver is a Solver over processes.
type solver struct {
	conf   SolverConfig
	family family
	info   verify.SolverInfo
	slots  chan *slot
	all    []*slot
	cache  *cache
	// digests are shared by all decisions, which go on side by side.
	digests digests
}

// slot is the right to run one busy process; it keeps the warm ones, one a logic.
type slot struct {
	warm map[string]*warm
}

type warm struct {
	*process
	texts int
}

// NewSolver starts the solver's book-keeping; processes start when there is something to decide.
func NewSolver(ctx context.Context, conf SolverConfig) (Solver, error) { return newSolver(ctx, conf) }

func newSolver(ctx context.Context, conf SolverConfig) (*solver, error) {
	conf, family, info, err := resolve(ctx, conf)
	if err != nil {
		return nil, err
	}
	s := &solver{conf: conf, family: family, info: info, slots: make(chan *slot, conf.Processes), cache: newCache()}
	for range conf.Processes {
		sl := &slot{warm: map[string]*warm{}}
		s.all = append(s.all, sl)
		s.slots <- sl
	}
	return s, nil
}

func (s *solver) Info() verify.SolverInfo { return s.info }

// Close waits for texts that are being decided.
func (s *solver) Close() error {
	for range s.all {
		sl := <-s.slots
		for _, w := range sl.warm {
			w.close()
		}
		sl.warm = map[string]*warm{}
		defer func() { s.slots <- sl }()
	}
	return nil
}

func (s *solver) Decide(ctx context.Context, text string, opt DecideOptions) (Answer, error) {
	var got Answer
	s.decideAll(ctx, []query{{text, verify.DigestOf([]byte(text)), opt.WantModel}}, func(_ int, a Answer) { got = a })
	return got, ctx.Err()
}

// query is a text to be decided.
type query struct {
	text      string
	digest    verify.Digest // of text
	wantModel bool
}

// decideAll answers each query once through done, in any order and from several goroutines. When ctx ends, what is left is Unknown.
func (s *solver) decideAll(ctx context.Context, queries []query, done func(i int, a Answer)) {
	byLogic := map[string][]item{}
	var logics []string
	for i, q := range queries {
		if a, ok := s.cache.get(q); ok { // what is there was checked
			done(i, a)
			continue
		}
		logic, body, err := CheckText(q.text)
		if err != nil {
			done(i, Answer{Status: Failed, Reason: err.Error()})
			continue
		}
		if _, ok := byLogic[logic]; !ok {
			logics = append(logics, logic)
		}
		byLogic[logic] = append(byLogic[logic], item{i, q, logic, body})
	}
	var all [][]item
	for _, l := range logics {
		all = append(all, s.batches(byLogic[l])...)
	}
	settle := func(it item, a Answer) {
		a.logic = it.logic
		s.cache.put(it.query, a)
		done(it.index, a)
	}
	var mu sync.Mutex
	var left []unsettled
	s.share(len(all), func(sl *slot, i int) {
		s.decideBatch(ctx, sl, all[i], settle, func(u unsettled) {
			mu.Lock()
			defer mu.Unlock()
			left = append(left, u)
		})
	})
	s.share(len(left), func(_ *slot, i int) {
		it, quick := left[i].item, left[i].quick
		a := s.decideFresh(ctx, it)
		if quick.Status == Sat {
			a = withModel(quick, a)
		}
		settle(it, a)
	})
}

// item is a query that is well formed.
type item struct {
	index int
	query
	logic, body string
}

// unsettled is an item that a fresh process is to decide, with all of the limits; quick is Sat if a warm one found it to be that.
type unsettled struct {
	item
	quick Answer
}

// batches cuts items of one logic into what a process is given at once: so that all processes have enough to do, and what little a batch
// asks is not less than what handing it over costs.
func (s *solver) batches(items []item) [][]item {
	var out [][]item
	n := min(batchSize, max(1, len(items)/(2*s.conf.Processes)))
	for len(items) > 0 {
		count, text := 0, 0
		for count < len(items) && count < batchSize && (count < n || text+len(items[count].body) <= batchText) {
			text += len(items[count].body)
			count++
		}
		out = append(out, items[:count])
		items = items[count:]
	}
	return out
}

// share does n things, as many at a time as there are processes, each in turn with a slot of its own.
func (s *solver) share(n int, do func(sl *slot, i int)) {
	var next atomic.Int64
	work := func() {
		sl := <-s.slots
		defer func() { s.slots <- sl }()
		for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
			do(sl, i-1)
		}
	}
	var wg sync.WaitGroup
	for range min(n, s.conf.Processes) - 1 {
		wg.Go(work)
	}
	if n > 0 {
		work()
	}
	wg.Wait()
}

// decideBatch answers items of one logic, in order, as far as a warm process does; the others are left.
func (s *solver) decideBatch(ctx context.Context, sl *slot, items []item, done func(item, Answer), leave func(unsettled)) {
	for s.family.incremental && ctx.Err() == nil && len(items) > 0 {
		items = items[s.decideWarm(ctx, sl, items, done, leave):]
		if ctx.Err() == nil && len(items) > 0 { // the process failed at this one
			leave(unsettled{item: items[0]})
			items = items[1:]
		}
	}
	for _, it := range items { // no process decides many, or ctx has ended, and the answers will say so
		leave(unsettled{item: it})
	}
}

// decideWarm sends all items to a warm process. It answers, or leaves, as many as it can, and returns how many that were before the process
// failed; it is rid of the process then.
func (s *solver) decideWarm(ctx context.Context, sl *slot, items []item, done func(item, Answer), leave func(unsettled)) (passed int) {
	w, err := s.warmed(ctx, sl, items[0].logic)
	if err != nil {
		return 0 // the fresh process will say why
	}
	lose := func() {
		delete(sl.warm, items[0].logic)
		w.close()
	}
	stop := context.AfterFunc(ctx, w.kill)
	defer stop()
	var requests strings.Builder
	for _, it := range items {
		requests.WriteString(w.request("(push 1)", it.body, "\n(pop 1)\n"))
	}
	w.send(requests.String())
	for i, it := range items {
		start := time.Now()
		lines, err := w.reply(ctx, min(s.conf.Timeout, quickTimeout))
		if err != nil {
			lose()
			return i
		}
		a := interpret(lines)
		a.Time = time.Since(start)
		switch {
		case a.Status == Unsat, a.Status == Sat && !it.wantModel:
			done(it, a)
		case a.Status == Sat, a.Status == Unknown:
			leave(unsettled{it, a})
		default:
			lose() // after an error nothing that it says means anything
			return i
		}
	}
	if w.texts += len(items); w.texts >= maxTexts {
		lose()
	}
	return len(items)
}

// withModel adds to a, which is Sat, what a fresh process found out. The two must not contradict each other.
func withModel(a, fresh Answer) Answer {
	fresh.Time += a.Time
	switch fresh.Status {
	case Sat:
		return fresh
	case Unsat:
		return Answer{Status: Failed, Reason: "the solver says sat inside push and pop, and unsat without", Time: fresh.Time}
	}
	a.Time, a.Reason = fresh.Time, "no model: "+fresh.Reason
	return a
}

// warmed returns the slot's process for logic, started if need be.
func (s *solver) warmed(ctx context.Context, sl *slot, logic string) (*warm, error) {
	if w := sl.warm[logic]; w != nil {
		return w, nil
	}
	p, err := startProcess(s.conf.Path, s.family.warmArgs, s.conf.Memory)
	if err != nil {
		return nil, err
	}
	lines, err := p.ask(ctx, min(s.conf.Timeout, quickTimeout), s.family.warmSetup, "(set-logic ", logic, ")\n")
	if err == nil && len(lines) > 0 {
		err = errors.New(lines[0])
	}
	if err != nil {
		p.close()
		return nil, err
	}
	w := &warm{process: p}
	sl.warm[logic] = w
	return w, nil
}

// decideFresh has a new process decide one text, with all of the limits.
func (s *solver) decideFresh(ctx context.Context, it item) (a Answer) {
	start := time.Now()
	defer func() { a.Time = time.Since(start) }()
	if err := ctx.Err(); err != nil {
		return Answer{Status: Unknown, Reason: "limit: " + err.Error()}
	}
	p, err := startProcess(s.conf.Path, s.family.freshArgs, s.conf.Memory)
	if err != nil {
		return Answer{Status: Failed, Reason: "cannot start: " + err.Error()}
	}
	defer p.close()
	lines, err := p.ask(ctx, s.conf.Timeout, s.family.freshSetup, "(set-logic ", it.logic, ")", it.body, "\n")
	if err != nil {
		return s.failed(lines, err)
	}
	a = interpret(lines)
	switch {
	case a.Status == Sat && it.wantModel:
		lines, err := p.ask(ctx, s.conf.Timeout, "(get-model)\n")
		if err == nil && containsError(lines) {
			err = errors.New(lines[0])
		}
		if err != nil {
			a.Reason = "no model: " + err.Error()
			break
		}
		a.Model = strings.Join(lines, "\n")
	case a.Status == Unknown:
		lines, err := p.ask(ctx, s.conf.Timeout, "(get-info :reason-unknown)\n")
		if err == nil {
			a.Reason = unknownReason(strings.Join(lines, " "))
		}
	}
	return a
}

// failed turns the end of a process into an answer.
func (s *solver) failed(lines []string, err error) Answer {
	text := strings.Join(lines, " ") + " " + err.Error()
	switch {
	case errors.Is(err, errTimeout):
		return Answer{Status: Unknown, Reason: fmt.Sprintf("limit: no answer within %s", s.conf.Timeout)}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Answer{Status: Unknown, Reason: "limit: " + err.Error()}
	case isMemory(text):
		return Answer{Status: Unknown, Reason: "memory: " + shorten(text)}
	}
	return Answer{Status: Failed, Reason: shorten(text)}
}

// interpret reads the reply to one (check-sat): one word, or it does not count.
func interpret(lines []string) Answer {
	text := strings.Join(lines, " ")
	if containsError(lines) {
		if isMemory(text) {
			return Answer{Status: Unknown, Reason: "memory: " + shorten(text)}
		}
		return Answer{Status: Failed, Reason: shorten(text)}
	}
	switch text {
	case "sat", "unsat", "unknown":
		return Answer{Status: Status(text)}
	}
	return Answer{Status: Failed, Reason: fmt.Sprintf("unexpected output: %.500q", text)}
}

func containsError(lines []string) bool {
	for _, l := range lines {
		if strings.Contains(l, "(error") {
			return true
		}
	}
	return false
}

func isMemory(text string) bool {
	return strings.Contains(text, "out of memory") || strings.Contains(text, "bad_alloc") || strings.Contains(text, "cannot allocate memory")
}

// unknownReason sorts what solvers give as reason into limit, memory and incomplete.
func unknownReason(s string) string {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "(:reason-unknown "), ")")
	s = strings.Trim(s, `"`)
	for _, word := range []string{"resource", "canceled", "timeout", "limit"} {
		if strings.Contains(s, word) {
			return "limit: " + s
		}
	}
	if strings.Contains(s, "mem") {
		return "memory: " + s
	}
	return "incomplete: " + s
}

func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 500 {
		s = s[:500] + " ..."
	}
	return s
}
