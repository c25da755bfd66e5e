package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
)

var (
	noOverload = regexp.MustCompile(`^found no matching overload for '([^']+)' applied to '\((.*)\)'$`)
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']+)'`)
	noField    = regexp.MustCompile(`^undefined field '([^']+)'$`)
)

// plainer is what cel-go says of the node id of a parsed expression, with what policies have in its stead. It is "" when that is a
// consequence of another error of the document: a field that there would be.
func (c *compiler) plainer(message string, parsed *cel.Ast, id int64) string {
	message = strings.ReplaceAll(strings.ReplaceAll(message, "\n", " "), " (in container '')", "")
	message = strings.ReplaceAll(message, "interlock.", "")
	hint := ""
	if m := noOverload.FindStringSubmatch(message); m != nil {
		hint = otherTypes(m[1], m[2])
	}
	if m := undeclared.FindStringSubmatch(message); m != nil {
		hint = otherName(m[1])
	}
	if m := noField.FindStringSubmatch(message); m != nil {
		of := operand(parsed.NativeRep(), id) // it could be parsed, or there would be no types
		if c.broken[of+"."+m[1]] {
			return ""
		}
		hint = c.otherField(of, m[1])
	}
	if hint == "" {
		return message
	}
	return message + ": " + hint
}

// otherTypes says how operands of such types are written.
func otherTypes(operator, operands string) string {
	sign := strings.Trim(operator, "_")
	switch {
	case strings.Contains(operands, "double"):
		return "there are no doubles; 0.3 is ratio(3, 10)"
	case operands == "int, Ratio" && slices.Contains([]string{"+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!="}, sign):
		return fmt.Sprintf("an int stands on the right only; write ratio(x) %s y", sign)
	}
	return ""
}

// otherName says what may be meant by a name that there is not.
func otherName(name string) string {
	if name == "matches" {
		return "there are no regular expressions; startsWith, endsWith and contains there are"
	}
	names := slices.Sorted(maps.Keys(Names()))
	if n := nearest(name, names); n != "" {
		return fmt.Sprintf("did you mean %s?", n)
	}
	return "expressions read " + joined(names)
}

// otherField says what may be meant by a field of params, variables or a tenant that there is not.
func (c *compiler) otherField(of, field string) string {
	fields := map[string]string{"params": paramsType.TypeName(), "variables": variablesType.TypeName()}[of]
	if fields == "" {
		fields = tenantType.TypeName()
	}
	there := maps.Clone(c.provider.fields[fields])
	for name := range c.broken {
		if n, ok := strings.CutPrefix(name, of+"."); ok {
			there[n] = nil
		}
	}
	names := slices.Sorted(maps.Keys(there))
	if n := nearest(field, names); n != "" {
		return fmt.Sprintf("did you mean %s?", n)
	}
	if len(names) == 0 || len(names) > 20 {
		return ""
	}
	return "there are " + joined(names)
}

// operand is the name of what the node id selects from, or "".
func operand(parsed *ast.AST, id int64) string {
	name := ""
	ast.PreOrderVisit(parsed.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.ID() == id && x.Kind() == ast.SelectKind && x.AsSelect().Operand().Kind() == ast.IdentKind {
			name = x.AsSelect().Operand().AsIdent()
		}
	}))
	return name
}

// nearest is the name that is at most two edits from s, and fewer than half of it, or "".
func nearest(s string, names []string) string {
	best, at := "", min(3, (len(s)+1)/2)
	for _, n := range names {
		if len(n) > len(s)+2 || len(s) > len(n)+2 {
			continue
		}
		if d := edits(s, n); d < at {
			best, at = n, d
		}
	}
	return best
}

// edits is how many letters have to be added, left out, replaced, or swapped with the next to make b of a.
func edits(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			if i == 0 || j == 0 {
				rows[i][j] = i + j
				continue
			}
			d := 1
			if a[i-1] == b[j-1] {
				d = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+d)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
