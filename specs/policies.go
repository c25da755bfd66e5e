package specs

import (
	"embed"
	"path"
	"sort"
	"strings"
)

//go:embed policies/*.yaml
var policies embed.FS

// Policy returns the text of a built-in sharing policy.
func Policy(name string) ([]byte, bool) {
	b, err := policies.ReadFile(path.Join("policies", name+".yaml"))
	return b, err == nil
}

// PolicyNames lists the built-in sharing policies, sorted.
func PolicyNames() []string {
	entries, err := policies.ReadDir("policies")
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	sort.Strings(out)
	return out
}
