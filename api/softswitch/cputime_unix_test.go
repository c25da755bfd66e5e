//go:build unix

package softswitch

import (
	"syscall"
	"testing"
	"time"
)

// CPUTime is what this process has used of the processors: on a machine with other work it says more than the clock.
func CPUTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
