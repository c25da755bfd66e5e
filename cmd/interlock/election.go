package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/interlock/interlock/api/gate"
)

// nextElectionID returns an election id that was never returned before for the ledger in dir: its successor is on disk before it
// is used, so that no request of an earlier process, however late, passes for one of ours.
func nextElectionID(dir string) (uint64, error) {
	fail := func(err error) (uint64, error) { return 0, environmentf("election id: %w", err) }
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fail(err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "election.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fail(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fail(err)
	}
	path := filepath.Join(dir, "election")
	last := uint64(0)
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		if last, err = strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err != nil {
			return 0, inputf("%s: %w: write a number into it that is higher than any election id ever used", path, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fail(err)
	}
	f, err := os.CreateTemp(dir, ".election-*")
	if err != nil {
		return fail(err)
	}
	defer os.Remove(f.Name())
	_, err = fmt.Fprintf(f, "%d\n", last+1)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fail(err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return fail(err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fail(err)
	}
	return last + 1, nil
}

// An election id that a saved plan was made under is used once, by the first apply that sends anything: a request of that apply that
// was not answered, or its marker, could pass for one of the next. The reservation is a file, which exists until then.
func reservation(dir string, id uint64) string {
	return filepath.Join(dir, fmt.Sprintf("election.%d", id))
}

// reserveElectionID keeps an id that nextElectionID returned for a saved plan.
func reserveElectionID(dir string, id uint64) error {
	return environment(os.WriteFile(reservation(dir, id), nil, 0o600))
}

// useElectionID uses a reserved id up.
func useElectionID(dir string, id uint64) error {
	err := os.Remove(reservation(dir, id))
	if errors.Is(err, fs.ErrNotExist) {
		return refusedf("%w: election id %d was used before, or was never a saved plan's: plan again", gate.ErrStale, id)
	}
	if err != nil {
		return environment(err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return environment(err)
	}
	defer d.Close()
	return environment(d.Sync())
}

func environment(err error) error {
	if err == nil {
		return nil
	}
	return environmentf("election id: %w", err)
}
