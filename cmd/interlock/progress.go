package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progressBar shows done of total on a terminal, once the work has taken a second; elsewhere it is silent.
type progressBar struct {
	label string
	begun time.Time
	bar   *progressbar.ProgressBar
}

func newProgress(label string) *progressBar { return &progressBar{label: label, begun: time.Now()} }

// update may be called at any rate.
func (p *progressBar) update(done, total int) {
	if p.bar == nil {
		if time.Since(p.begun) < time.Second || !term.IsTerminal(int(os.Stderr.Fd())) {
			return
		}
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(p.label),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(24),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	p.bar.ChangeMax(total)
	_ = p.bar.Set(done) // a failure to draw is no failure of the command
}

// finish clears the bar.
func (p *progressBar) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
		_, _ = io.WriteString(os.Stderr, "\r")
	}
}
