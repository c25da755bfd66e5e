package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkCheck measures 'interlock check' as its users run it: the built command as a process for each file, and as one for all
// files. P4_CORPUS is the pattern of the files, as p4c/testdata/p4_16_samples/*-bmv2.p4; without it they are the tenants' programs
// of this repository. If P4TEST names p4c's p4test, it gets the same files, with P4_INCLUDE for its core.p4 and v1model.p4; it
// takes only one file at a time, and besides checking it rewrites the program for back ends.
func BenchmarkCheck(b *testing.B) {
	pattern := os.Getenv("P4_CORPUS")
	if pattern == "" {
		pattern = "../../testdata/tenants/*.p4"
	}
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		b.Fatalf("no programs match %q: %v", pattern, err)
	}
	var size int64
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			b.Fatal(err)
		}
		size += info.Size()
	}
	command := filepath.Join(b.TempDir(), "interlock") // not this test, which starts more slowly
	build := exec.Command("go", "build", "-o", command, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	check := []string{command, "check", "-w"}

	each := func(b *testing.B, command []string) {
		b.SetBytes(size)
		var times []time.Duration
		for b.Loop() {
			for _, f := range files {
				start := time.Now()
				runProcess(b, append(slices.Clone(command), f))
				times = append(times, time.Since(start))
			}
		}
		slices.Sort(times)
		b.ReportMetric(float64(len(times))/b.Elapsed().Seconds(), "files/s")
		b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms/file(median)")
	}
	b.Run("process per file", func(b *testing.B) { each(b, check) })
	b.Run("one process", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			runProcess(b, append(slices.Clone(check), files...))
		}
		b.ReportMetric(float64(b.N*len(files))/b.Elapsed().Seconds(), "files/s")
	})
	if p4test := os.Getenv("P4TEST"); p4test != "" {
		other := []string{p4test, "--Wdisable"}
		if dir := os.Getenv("P4_INCLUDE"); dir != "" {
			other = append(other, "-I", dir)
		}
		b.Run("p4test per file", func(b *testing.B) { each(b, other) })
	}
}

// runProcess waits for a command. That it refuses a program is its business; that it cannot be run is not.
func runProcess(b *testing.B, command []string) {
	c := exec.Command(command[0], command[1:]...)
	if err := c.Run(); err != nil && c.ProcessState == nil {
		b.Fatal(err)
	}
}
