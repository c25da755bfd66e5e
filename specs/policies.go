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
	return b, err == nil && !strings.HasSuffix(name, "_test")
}

// PolicyTests returns the test suite of a built-in sharing policy.
func PolicyTests(name string) ([]byte, bool) {
	b, err := policies.ReadFile(path.Join("policies", name+"_test.yaml"))
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
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok && !strings.HasSuffix(name, "_test") {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}
