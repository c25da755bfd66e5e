package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/interlock/interlock/verify"
)

// evictedFile, beside the ledger, names the tenants that plans give nothing.
const evictedFile = "evicted.json"

func (w *work) evicted() ([]string, error) {
	path := filepath.Join(w.ledgerDir(), evictedFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{}, nil
	} else if err != nil {
		return nil, exitWith(exitEnvironment, err)
	}
	names := []string{}
	if err := verify.StrictJSON(b, &names); err != nil {
		return nil, inputf("%s:%w", path, err)
	}
	return names, nil
}

func (w *work) setEvicted(tenant string, out bool) error {
	names, err := w.evicted()
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == tenant })
	if out {
		names = append(names, tenant)
	}
	b, err := json.Marshal(names)
	if err != nil {
		return err
	}
	dir := w.ledgerDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return exitWith(exitEnvironment, err)
	}
	tmp := filepath.Join(dir, "."+evictedFile)
	if err := os.WriteFile(tmp, append(b, '\n'), 0o644); err != nil {
		return exitWith(exitEnvironment, err)
	}
	return exitWith(exitEnvironment, os.Rename(tmp, filepath.Join(dir, evictedFile)))
}
