package ledger

// OnDisk has f called before every step that changes the disk: op is what is about to be done to the file at path, below the log's
// directory. An error of f fails the step, and the append with it. For tests.
func (l *Log) OnDisk(f func(op, path string) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.disk.before = f
}
