package main

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// timeout is how long one file may take. The largest takes a fraction of a second on an idle machine.
const timeout = 5 * time.Second

// each calls f for every item, some at a time.
func each[T any](jobs int, items []T, f func(T)) {
	work := make(chan T)
	var wg sync.WaitGroup
	for range max(jobs, 1) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for x := range work {
				f(x)
			}
		}()
	}
	for _, x := range items {
		work <- x
	}
	close(work)
	wg.Wait()
}

// guarded is within the time that a file may take.
func guarded(file string, f func() *failure) *failure { return within(timeout, file, f) }

// within runs f and returns its failure, or one that says that f panicked or did not end in time. What f did then must not
// be looked at: it may still be running.
func within(limit time.Duration, file string, f func() *failure) *failure {
	done := make(chan *failure, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- &failure{file, "panic", fmt.Sprintf("panic: %v\n%s", p, origin(debug.Stack()))}
			}
		}()
		done <- f()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case r := <-done:
		return r
	case <-timer.C:
		return &failure{file, "time-out", fmt.Sprintf("no result after %v", limit)}
	}
}

// origin is the part of a stack trace that says where the panic came from.
func origin(stack []byte) string {
	_, after, ok := strings.Cut(string(stack), "panic(")
	if !ok {
		after = string(stack)
	}
	lines := strings.Split(after, "\n")
	if ok && len(lines) > 2 {
		lines = lines[2:]
	}
	return strings.Join(lines[:min(len(lines), 8)], "\n")
}
