package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var includeLine = regexp.MustCompile(`(?m)^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]`)

// archOf follows the #include lines of a program. It reads the text alone, without preprocessing it, so that the line that a
// program counts in does not depend on the front end that is tested.
func archOf(root, file string) (arch, error) {
	seen := map[string]bool{}
	var visit func(file string) (arch, error)
	visit = func(file string) (arch, error) {
		if seen[file] {
			return core, nil
		}
		seen[file] = true
		text, err := os.ReadFile(file)
		if err != nil {
			return core, err
		}
		found := core
		for _, m := range includeLine.FindAllStringSubmatch(string(text), -1) {
			a := core
			switch name := m[1]; {
			case filepath.Base(name) == "v1model.p4":
				a = v1model
			case name == "core.p4":
			case isFile(filepath.Join(filepath.Dir(file), name)):
				if a, err = visit(filepath.Join(filepath.Dir(file), name)); err != nil {
					return core, err
				}
			case isFile(filepath.Join(root, "p4include", name)), strings.HasSuffix(name, "_model.p4"):
				a = other
			}
			if a == v1model {
				return v1model, nil
			}
			found = max(found, a)
		}
		return found, nil
	}
	return visit(file)
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
