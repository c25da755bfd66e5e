//go:build !linux

package smt

import (
	"os"
	"os/exec"
)

func isolate(*exec.Cmd) {}

func killGroup(p *os.Process) { _ = p.Kill() }

// limitMemory does nothing: without it a solver is limited by its resource limit and its time only.
func limitMemory(int, uint64) error { return nil }
