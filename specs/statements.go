package specs

import (
	"embed"
	"path"
)

//go:embed statements/*.yaml
var statements embed.FS

// Statements returns what is proved of a built-in sharing policy beyond what is proved of every policy.
func Statements(policy string) ([]byte, bool) {
	b, err := statements.ReadFile(path.Join("statements", policy+".yaml"))
	return b, err == nil
}
