package smt

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// DecideParts has one process decide a script that asks several questions and shares what they have in common. Each part is
// what follows the part before, with pushes and pops, and ends with its (check-sat). It returns an answer for each part up to the
// first that is not settled within a small limit, or fails: what is left is to be decided as texts of their own. The error is ctx's, or
// wraps ErrText: a part may have no command but declarations, definitions, assertions, push and pop.
func (s *solver) DecideParts(ctx context.Context, logic string, parts []string) ([]Answer, error) {
	depth := 0
	for _, p := range parts {
		d, err := checkPart(p)
		if err != nil {
			return nil, err
		}
		depth += d
	}
	if !isSimple(logic) {
		return nil, fmt.Errorf("%w: logic %q", ErrText, logic)
	}
	if !s.family.incremental || len(parts) == 0 {
		return nil, ctx.Err()
	}
	sl := <-s.slots
	defer func() { s.slots <- sl }()
	w, err := s.warmed(ctx, sl, logic)
	if err != nil {
		return nil, ctx.Err()
	}
	stop := context.AfterFunc(ctx, w.kill)
	defer stop()
	var requests strings.Builder
	before := "(push 1)\n"
	for _, p := range parts {
		requests.WriteString(w.request(before, p, "\n"))
		before = ""
	}
	requests.WriteString(w.request(fmt.Sprintf("(pop %d)\n", depth+1)))
	w.send(requests.String())
	var answers []Answer
	for i := range len(parts) + 1 {
		begun := time.Now()
		lines, err := w.reply(ctx, min(s.conf.Timeout, quickTimeout))
		if i == len(parts) && err == nil && len(lines) == 0 {
			break
		}
		a := interpret(lines)
		a.Time = time.Since(begun)
		if err != nil || i == len(parts) || a.Status != Sat && a.Status != Unsat {
			delete(sl.warm, logic)
			w.close()
			return answers, ctx.Err()
		}
		answers = append(answers, a)
	}
	if w.texts += len(parts); w.texts >= maxTexts {
		delete(sl.warm, logic)
		w.close()
	}
	return answers, ctx.Err()
}

// checkPart returns by how much a part leaves the script deeper.
func checkPart(part string) (depth int, err error) {
	commands, err := Commands(part)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrText, err)
	}
	for i, c := range commands {
		text := part[c.Start:c.End]
		switch {
		case c.Name == "check-sat" && i == len(commands)-1:
			return depth, nil
		case text == "(push 1)":
			depth++
		case text == "(pop 1)":
			depth--
		case c.Name == "assert", c.Name == "declare-fun", c.Name == "declare-const", c.Name == "declare-sort", c.Name == "define-fun":
		default:
			return 0, fmt.Errorf("%w: the command %.40q may not be used here", ErrText, c.Name)
		}
	}
	return 0, fmt.Errorf("%w: want (check-sat) last", ErrText)
}
