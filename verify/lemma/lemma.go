package lemma

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// ErrForm is wrapped by errors about a script that is not of the form of a lemma.
var ErrForm = errors.New("not of the form of a lemma")

// A Lemma is one script.
type Lemma struct {
	Name   string // of its file, without the extension: "chain"
	File   string // "specs/lemmas/chain.smt2"
	Title  string // what it says, in a sentence
	Logic  string
	UsedBy []Use
	Digest verify.Digest // of the file
	Checks []Check
}

// Use names a function that relies on a lemma.
type Use struct {
	Package  string `json:"package"`  // "verify/plan"
	Function string `json:"function"` // "decoded.cuts", "Recipe"
}

// Kind says what a check is for.
type Kind string

// Kinds of checks.
const (
	Guard  Kind = "guard"  // the assumptions of the claim that follows can hold
	Claim  Kind = "claim"  // what is proved
	Canary Kind = "canary" // a broken variant is refuted
)

// A Check is one question to a solver.
type Check struct {
	Kind Kind
	Name string // of the claim or canary, in words
	Line int    // where its (check-sat) stands
	Want smt.Status
	Part string // what the script says since the check before, this one included: as smt.Solver.DecideParts takes it
	Text string // all that is in force, in the form that smt.CheckText accepts
}

// All reads the lemmas of specs, in the order of their names.
func All() ([]*Lemma, error) {
	files, err := fs.Glob(specs.Lemmas, "lemmas/*.smt2")
	if err != nil {
		return nil, err
	}
	var out []*Lemma
	for _, f := range files {
		text, err := specs.Lemmas.ReadFile(f)
		if err != nil {
			return nil, err
		}
		l, err := Parse(path.Join("specs", f), string(text))
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// Parse reads a script, and refuses what is not of the form that the package's documentation gives.
func Parse(file, script string) (*Lemma, error) {
	p := &reader{script: script, lemma: &Lemma{
		Name: strings.TrimSuffix(path.Base(file), ".smt2"), File: file, Digest: verify.DigestOf([]byte(script)),
	}}
	if err := p.parse(); err != nil {
		return nil, fmt.Errorf("%s:%w", file, err)
	}
	return p.lemma, nil
}

type reader struct {
	script string
	lemma  *Lemma
	scope  []string // what is in force
	part   []string // what was said since the last check
	outer  int      // how much of scope is outside the present block
	kind   Kind     // of the block that is open or announced
	name   string
	block  bool   // it is open
	fresh  bool   // something was asserted since the last check
	status string // announced for the next check
	checks int    // of the block
}

// at makes an error at a place of the script.
func (p *reader) at(offset int, format string, args ...any) error {
	return fmt.Errorf("%d: %w: %s", p.line(offset), ErrForm, fmt.Sprintf(format, args...))
}

func (p *reader) line(offset int) int { return 1 + strings.Count(p.script[:offset], "\n") }

func (p *reader) parse() error {
	commands, err := smt.Commands(p.script)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	if len(commands) == 0 || commands[0].Name != "set-logic" {
		return p.at(0, "want (set-logic ...) first")
	}
	if err := p.header(p.script[:commands[0].Start]); err != nil {
		return err
	}
	for i, c := range commands {
		if i > 0 {
			if err := p.announce(p.script[commands[i-1].End:c.Start], c.Start); err != nil {
				return err
			}
		}
		if err := p.command(i, c); err != nil {
			return err
		}
	}
	end := len(p.script)
	switch {
	case p.block:
		return p.at(end, "want (pop 1)")
	case p.kind != "":
		return p.at(end, "the %s %q has no checks", p.kind, p.name)
	}
	for _, k := range []Kind{Claim, Canary} {
		if !slices.ContainsFunc(p.lemma.Checks, func(c Check) bool { return c.Kind == k }) {
			return p.at(end, "there is no %s", k)
		}
	}
	return nil
}

// header reads the comments before the first command.
func (p *reader) header(text string) error {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	title, ok := strings.CutPrefix(lines[0], "; ")
	name, title, found := strings.Cut(title, ": ")
	if !ok || !found || strings.ToLower(name) != p.lemma.Name || !strings.HasSuffix(title, ".") {
		return p.at(0, "want a first line '; Name: what it says.', with the name of the file")
	}
	p.lemma.Title = strings.TrimSuffix(title, ".")
	if len(lines) < 4 || lines[2] != ";" {
		return p.at(0, "want a second line '; Used by: ...', and then a comment that says why")
	}
	used, ok := strings.CutPrefix(lines[1], "; Used by: ")
	if !ok {
		return p.at(0, "want a second line '; Used by: ...'")
	}
	for part := range strings.SplitSeq(used, "; ") {
		pkg, functions, ok := strings.Cut(part, " ")
		if !ok {
			return p.at(0, "used by %q: want a package and functions", part)
		}
		for f := range strings.SplitSeq(functions, ", ") {
			p.lemma.UsedBy = append(p.lemma.UsedBy, Use{pkg, f})
		}
	}
	return nil
}

// announce looks for "; Claim: ..." or "; Canary: ..." among the comments before a command.
func (p *reader) announce(comments string, offset int) error {
	for l := range strings.SplitSeq(comments, "\n") {
		for prefix, kind := range map[string]Kind{"; Claim: ": Claim, "; Canary: ": Canary} {
			name, ok := strings.CutPrefix(l, prefix)
			if !ok {
				continue
			}
			if p.kind != "" {
				return p.at(offset, "a %s inside another", kind)
			}
			if slices.ContainsFunc(p.lemma.Checks, func(c Check) bool { return c.Name == name }) {
				return p.at(offset, "a second %q", name)
			}
			p.kind, p.name = kind, name
		}
	}
	return nil
}

func (p *reader) command(i int, c smt.Command) error {
	text := p.script[c.Start:c.End]
	if c.Name != "set-logic" && c.Name != "set-info" {
		p.part = append(p.part, text)
	}
	switch c.Name {
	case "set-logic":
		if i > 0 {
			return p.at(c.Start, "a second (set-logic ...)")
		}
		p.lemma.Logic = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(text, "(set-logic"), ")"))
		p.scope = append(p.scope, text)
	case "assert":
		p.fresh = true
		p.scope = append(p.scope, text)
	case "declare-const", "declare-fun", "declare-sort", "define-fun":
		p.scope = append(p.scope, text)
	case "push":
		if text != "(push 1)" || p.block || p.kind == "" {
			return p.at(c.Start, "want '; Claim: ...' or '; Canary: ...' before a (push 1), and no other inside")
		}
		p.block, p.outer, p.checks, p.fresh = true, len(p.scope), 0, true
	case "pop":
		if text != "(pop 1)" || !p.block {
			return p.at(c.Start, "nothing to end by (pop 1)")
		}
		if want := len(expected[p.kind]); p.checks != want {
			return p.at(c.Start, "the %s %q has %d checks, want %d", p.kind, p.name, p.checks, want)
		}
		p.scope = p.scope[:p.outer]
		p.block, p.kind = false, ""
	case "set-info":
		status, ok := strings.CutPrefix(text, "(set-info :status ")
		if !ok || p.status != "" {
			return p.at(c.Start, "want one (set-info :status ...) before a check, and no other")
		}
		p.status = strings.TrimSuffix(status, ")")
	case "check-sat":
		return p.check(c)
	default:
		return p.at(c.Start, "the command %.40q may not be used", c.Name)
	}
	return nil
}

// expected are the checks of a block, in order.
var expected = map[Kind][]struct {
	kind Kind
	want smt.Status
}{
	Claim:  {{Guard, smt.Sat}, {Claim, smt.Unsat}},
	Canary: {{Canary, smt.Sat}},
}

func (p *reader) check(c smt.Command) error {
	if !p.block || p.checks == len(expected[p.kind]) {
		return p.at(c.Start, "a check that no claim or canary asks for")
	}
	e := expected[p.kind][p.checks]
	if p.status != string(e.want) {
		return p.at(c.Start, "want (set-info :status %s) before this check", e.want)
	}
	if !p.fresh {
		return p.at(c.Start, "nothing is asserted that was not checked")
	}
	p.lemma.Checks = append(p.lemma.Checks, Check{
		Kind: e.kind, Name: p.name, Line: p.line(c.Start), Want: e.want,
		Part: strings.Join(p.part, "\n"), Text: strings.Join(p.scope, "\n") + "\n(check-sat)\n",
	})
	p.part = nil
	p.checks++
	p.status, p.fresh = "", false
	return nil
}
