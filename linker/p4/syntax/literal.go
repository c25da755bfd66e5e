package syntax

import (
	"fmt"
	"math/big"
	"strings"
)

// Limits of integer literals: wider than any packet.
const (
	maxLiteral = 1 << 16 // characters
	maxWidth   = 1 << 16 // bits
)

// parseInt reads an integer literal: [width w|s] [0x|0d|0o|0b] digits, with underscores between digits.
func parseInt(text string) (*IntLit, error) {
	if len(text) > maxLiteral {
		return nil, fmt.Errorf("number has more than %d digits", maxLiteral)
	}
	lit := &IntLit{Text: text}
	digits := text
	n := 0
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	if n < len(text) && (text[n] == 'w' || text[n] == 's') {
		width, ok := new(big.Int).SetString(text[:n], 10)
		if !ok || width.Sign() == 0 {
			return nil, fmt.Errorf("width of %s must be at least 1", short(text))
		}
		if width.Cmp(big.NewInt(maxWidth)) > 0 {
			return nil, fmt.Errorf("width of %s exceeds %d", short(text), maxWidth)
		}
		lit.Width = int(width.Int64())
		lit.Signed = text[n] == 's'
		digits = text[n+1:]
	}
	base := 10
	if len(digits) > 1 && digits[0] == '0' {
		switch digits[1] {
		case 'x', 'X':
			base = 16
		case 'd', 'D':
			base = -10
		case 'o', 'O':
			base = 8
		case 'b', 'B':
			base = 2
		}
		if base != 10 {
			digits = digits[2:]
		}
		if base < 0 {
			base = 10
		}
	}
	v, ok := new(big.Int).SetString(strings.ReplaceAll(digits, "_", ""), base)
	if !ok {
		return nil, fmt.Errorf("malformed number %s", short(text))
	}
	lit.Value = v
	return lit, nil
}

func short(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

// unquote returns what a string literal stands for. \" and \\ are the escapes of the language; all others are the
// business of whoever reads the string, and stay as they are.
func unquote(text string) string {
	s := strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`)
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\') {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// quote is the inverse of unquote.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
