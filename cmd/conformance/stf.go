package main

import (
	"fmt"
	"math/big"
	"os"
	"regexp"
	"strings"
)

// stfCommand is one line of a test in the STF language (p4c, tools/stf and backends/bmv2/bmv2stf.py).
type stfCommand struct {
	line int
	verb string   // in lower case
	args []string // words; of packet and expect the port and the data
	add  *stfAdd  // of add and setdefault
}

// stfAdd is a table entry, or a default action without keys.
type stfAdd struct {
	table, action string
	priority      string // or ""
	keys, args    []stfPair
}

type stfPair struct{ name, value string }

var (
	stfAction = regexp.MustCompile(`^(.*?)([^\s"]+|"[^"]+")\s*\(([^)]*)\)\s*(=\s*\S+)?\s*$`)
	stfColon  = regexp.MustCompile(`\s*:\s*`)
)

// readSTF parses a test.
func readSTF(path string) ([]stfCommand, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var cmds []stfCommand
	for i, l := range strings.Split(string(text), "\n") {
		l, _, _ = strings.Cut(l, "#")
		verb, rest, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(l, "\t", " ")), " ")
		if verb == "" {
			continue
		}
		c := stfCommand{line: i + 1, verb: strings.ToLower(verb), args: strings.Fields(rest)}
		switch c.verb {
		case "packet", "expect":
			if len(c.args) == 0 {
				return nil, fmt.Errorf("line %d: %s without a port", c.line, c.verb)
			}
			c.args = []string{c.args[0], strings.ToLower(strings.Join(c.args[1:], ""))}
		case "add", "setdefault":
			if c.add, err = readAdd(rest); err != nil {
				return nil, fmt.Errorf("line %d: %w", c.line, err)
			}
		}
		cmds = append(cmds, c)
	}
	return cmds, nil
}

// readAdd parses table [priority] key:value... action(arg:value, ...) [= name].
func readAdd(text string) (*stfAdd, error) {
	m := stfAction.FindStringSubmatch(stfColon.ReplaceAllString(text, ":"))
	if m == nil {
		return nil, fmt.Errorf("no action in %q", text)
	}
	a := &stfAdd{action: strings.Trim(m[2], `"`)}
	for _, arg := range strings.Split(m[3], ",") {
		if arg = strings.TrimSpace(arg); arg == "" {
			continue
		}
		name, value, ok := strings.Cut(arg, ":")
		if !ok {
			return nil, fmt.Errorf("argument %q without a name", arg)
		}
		a.args = append(a.args, stfPair{name, value})
	}
	for i, word := range strings.Fields(m[1]) {
		name, value, ok := strings.Cut(word, ":")
		switch {
		case i == 0:
			a.table = strings.Trim(word, `"`)
		case ok:
			a.keys = append(a.keys, stfPair{strings.Trim(name, `"`), value})
		case a.priority == "" && len(a.keys) == 0:
			a.priority = word
		default:
			return nil, fmt.Errorf("unexpected %q", word)
		}
	}
	if a.table == "" {
		return nil, fmt.Errorf("no table in %q", text)
	}
	return a, nil
}

// stfNumber reads a number without wild cards.
func stfNumber(s string) (*big.Int, error) {
	n, ok := new(big.Int).SetString(s, 0)
	if !ok || n.Sign() < 0 {
		return nil, fmt.Errorf("%q is not a number", s)
	}
	return n, nil
}

// stfMask reads a number in which * stands for any digit. Digits that are not written are not compared, so 0x1 says nothing of
// what is left of the last four bits.
func stfMask(s string) (value, mask *big.Int, err error) {
	base, digit := 2, "1"
	switch {
	case strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0X"):
		base, digit = 16, "f"
	case strings.HasPrefix(s, "0b"), strings.HasPrefix(s, "0B"):
	default:
		return nil, nil, fmt.Errorf("%q: a mask needs 0x or 0b", s)
	}
	var m strings.Builder
	for _, r := range s[2:] {
		if r == '*' {
			m.WriteByte('0')
		} else {
			m.WriteString(digit)
		}
	}
	value, ok1 := new(big.Int).SetString(strings.ReplaceAll(s[2:], "*", "0"), base)
	mask, ok2 := new(big.Int).SetString(m.String(), base)
	if !ok1 || !ok2 {
		return nil, nil, fmt.Errorf("%q is not a number", s)
	}
	return value, mask, nil
}

// stfPrefix reads value/length, or a number whose written digits, but for *, are the prefix.
func stfPrefix(s string, width int) (value *big.Int, length int, err error) {
	v, l, ok := strings.Cut(s, "/")
	if ok {
		n, err := stfNumber(l)
		if err != nil || !n.IsInt64() || n.Int64() > int64(width) {
			return nil, 0, fmt.Errorf("%q is not a prefix of %d bits", s, width)
		}
		value, err = stfNumber(strings.ReplaceAll(v, "*", "0"))
		return value, int(n.Int64()), err
	}
	value, mask, err := stfMask(s)
	if err != nil {
		return nil, 0, err
	}
	ones := 0
	for i := range mask.BitLen() {
		ones += int(mask.Bit(i))
	}
	return value, min(ones, width), nil
}
