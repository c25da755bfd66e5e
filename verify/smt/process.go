package smt

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxReply bounds what a solver may print for one request, in bytes.
const maxReply = 16 << 20

// How a conversation with a solver can fail. The process is of no use afterwards.
var (
	errTimeout = errors.New("time-out")
	errDied    = errors.New("the solver died")
	errOutput  = errors.New("the solver printed too much")
)

// A process is a running solver that takes SMT-LIB 2 on its standard input. It is for one goroutine, kill aside.
type process struct {
	cmd    *exec.Cmd
	in     *os.File
	out    *os.File
	reader *bufio.Reader
	stderr tail
	nonce  string
	asked  int // requests written
	heard  int // replies read

	mu      sync.Mutex
	done    bool
	exited  chan struct{}
	waitErr error
}

// startProcess starts the program at path. Its address space is limited to memory bytes unless that is 0.
func startProcess(path string, args []string, memory uint64) (*process, error) {
	var seed [8]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(path, args...), nonce: "il-" + hex.EncodeToString(seed[:]) + "-", exited: make(chan struct{})}
	files := [6]*os.File{}
	closeAll := func() {
		for _, f := range files {
			if f != nil {
				_ = f.Close()
			}
		}
	}
	for i := range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll()
			return nil, err
		}
		files[2*i], files[2*i+1] = r, w
	}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = files[0], files[3], files[5]
	p.in, p.out = files[1], files[2]
	p.reader = bufio.NewReaderSize(p.out, 1<<16)
	isolate(p.cmd)

	started := make(chan error)
	go func() {
		// The kernel kills the child when the thread that started it ends, not the process: so this thread stays until then.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		if err == nil && memory > 0 {
			if err = limitMemory(p.cmd.Process.Pid, memory); err != nil {
				_ = p.cmd.Process.Kill()
				_ = p.cmd.Wait()
			}
		}
		started <- err
		if err != nil {
			return
		}
		p.waitErr = p.cmd.Wait()
		p.mu.Lock()
		p.done = true
		p.mu.Unlock()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		closeAll()
		return nil, err
	}
	for _, f := range [3]*os.File{files[0], files[3], files[5]} { // the child's ends
		_ = f.Close()
	}
	p.stderr.drained = make(chan struct{})
	go p.stderr.drain(files[4])
	return p, nil
}

// kill ends the process and its children at once.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.done {
		killGroup(p.cmd.Process)
	}
}

// close kills the process and waits until it is gone.
func (p *process) close() {
	p.kill()
	<-p.exited
	_ = p.in.Close()
	_ = p.out.Close()
}

// request returns commands, followed by the echo that ends their reply.
func (p *process) request(commands ...string) string {
	p.asked++
	return strings.Join(commands, "") + "(echo \"" + p.nonce + strconv.Itoa(p.asked) + "\")\n"
}

// ask sends commands and returns what they print.
func (p *process) ask(ctx context.Context, limit time.Duration, commands ...string) ([]string, error) {
	stop := context.AfterFunc(ctx, p.kill)
	defer stop()
	p.send(p.request(commands...))
	return p.reply(ctx, limit)
}

// pipeRoom is what a pipe holds at least, in bytes: a process that has answered everything need not read for it to be written.
const pipeRoom = 4096

// send writes requests, without waiting for the process to read them. A failed write shows in the reply.
func (p *process) send(requests string) {
	if len(requests) <= pipeRoom {
		_, _ = p.in.WriteString(requests)
		return
	}
	go p.in.WriteString(requests) //nolint:errcheck
}

// reply returns the lines that the next request prints, blank ones left out.
func (p *process) reply(ctx context.Context, limit time.Duration) ([]string, error) {
	p.heard++
	nonce := p.nonce + strconv.Itoa(p.heard)
	if err := p.out.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return nil, err
	}
	var lines []string
	size := 0
	for {
		line, err := p.readLine(maxReply - size)
		size += len(line)
		line = strings.TrimSpace(line)
		if err != nil {
			if line != "" {
				lines = append(lines, line)
			}
			return lines, p.failure(ctx, err)
		}
		switch line {
		case nonce, `"` + nonce + `"`:
			return lines, nil
		case "":
		default:
			lines = append(lines, line)
		}
	}
}

func (p *process) readLine(limit int) (string, error) {
	var long []byte
	for {
		part, err := p.reader.ReadSlice('\n')
		if len(long)+len(part) > limit {
			return "", errOutput
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = append(long, part...)
		case long == nil:
			return string(part), err
		default:
			return string(append(long, part...)), err
		}
	}
}

// failure says why reading a reply failed.
func (p *process) failure(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errTimeout
	case !errors.Is(err, io.EOF):
		return err
	}
	select {
	case <-p.exited:
	case <-time.After(time.Second): // it closed its output and lives on
		return fmt.Errorf("%w: it closed its output", errDied)
	}
	select {
	case <-p.stderr.drained:
	case <-time.After(time.Second): // a child of its lives on
	}
	reason := "exit status 0"
	if p.waitErr != nil {
		reason = p.waitErr.Error()
	}
	if s := p.stderr.String(); s != "" {
		reason += ": " + s
	}
	return fmt.Errorf("%w: %s", errDied, reason)
}

// tail keeps the last of what is written to it.
type tail struct {
	mu      sync.Mutex
	kept    []byte
	drained chan struct{}
}

const tailSize = 2048

func (t *tail) drain(f *os.File) {
	defer close(t.drained)
	defer f.Close()
	buf := make([]byte, tailSize)
	for {
		n, err := f.Read(buf)
		t.mu.Lock()
		t.kept = append(t.kept, buf[:n]...)
		if over := len(t.kept) - tailSize; over > 0 {
			t.kept = append([]byte(nil), t.kept[over:]...)
		}
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(strings.Fields(string(t.kept)), " ")
}
