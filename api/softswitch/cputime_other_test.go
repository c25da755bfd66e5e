//go:build !unix

package softswitch

import (
	"testing"
	"time"
)

// CPUTime is not known here.
func CPUTime(*testing.B) time.Duration { return 0 }
