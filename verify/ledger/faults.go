package ledger

// OnDisk has f called before every step that changes the disk: op is what is about to be done to the file at path, below the log's
// directory. An error of f fails the step, and the log with it. Appends and what publishes them in the background both call it, maybe
// at once. For tests.
func (l *Log) OnDisk(f func(op, path string) error) {
	l.disk.before.Store(&f)
}
