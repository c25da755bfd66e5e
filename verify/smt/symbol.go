package smt

import (
	"encoding/hex"
	"strings"
)

// definitionPrefix begins the names that Script gives to shared subterms; escapePrefix those of variables whose own names
// cannot be written, or could be taken for something else. No other symbol begins with $.
const (
	definitionPrefix = "$"
	escapePrefix     = "$:"
)

// Symbol returns the SMT-LIB symbol for any name, quoted with bars where it has to be. Different names have different symbols:
// names that SMT-LIB reserves, that look like what Script makes, or that hold a bar, a backslash or unprintable bytes are escaped.
func Symbol(name string) string {
	s := name
	if needsEscape(name) {
		s = escape(name)
	}
	if isSimple(s) {
		return s
	}
	return "|" + s + "|"
}

// nameOf is the inverse of Symbol.
func nameOf(symbol string) string {
	s := symbol
	if len(s) >= 2 && s[0] == '|' && s[len(s)-1] == '|' {
		s = s[1 : len(s)-1]
	}
	if escaped, ok := strings.CutPrefix(s, escapePrefix); ok {
		if name, ok := unescape(escaped); ok {
			return name
		}
	}
	return s
}

func needsEscape(name string) bool {
	if name == "" || name[0] == '$' || name[0] == '@' || reserved[name] {
		return true
	}
	for _, p := range [...]string{"bv", "str.", "re.", "fp.", "seq.", "set.", "bag.", "int.", "rel.", "tuple"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	for i := range len(name) {
		if c := name[i]; c < ' ' || c > '~' || c == '|' || c == '\\' {
			return true
		}
	}
	return false
}

const escapeByte = '%'

func escape(name string) string {
	var s strings.Builder
	s.WriteString(escapePrefix)
	for i := range len(name) {
		switch c := name[i]; {
		case c <= ' ' || c > '~' || c == '|' || c == '\\' || c == escapeByte:
			s.WriteByte(escapeByte)
			s.WriteString(hex.EncodeToString([]byte{c}))
		default:
			s.WriteByte(c)
		}
	}
	return s.String()
}

func unescape(s string) (string, bool) {
	var name strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != escapeByte {
			name.WriteByte(s[i])
			continue
		}
		if i+3 > len(s) {
			return "", false
		}
		c, err := hex.DecodeString(s[i+1 : i+3])
		if err != nil {
			return "", false
		}
		name.WriteByte(c[0])
		i += 2
	}
	return name.String(), true
}

// isSimple tells whether s needs no bars.
func isSimple(s string) bool {
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	for i := range len(s) {
		if !isSymbolByte(s[i]) {
			return false
		}
	}
	return true
}

func isSymbolByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("~!@$%^&*_-+=<>.?/:", c) >= 0
}

// reserved holds what the standard, or one of the solvers, gives a meaning to. A symbol that is missing here can make a solver
// report an error, which voids its verdict, but cannot change what a text means.
var reserved = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`
		! _ as let exists forall match par BINARY DECIMAL HEXADECIMAL NUMERAL STRING
		assert check-sat check-sat-assuming declare-const declare-datatype declare-datatypes declare-fun declare-sort define-fun
		define-fun-rec define-funs-rec define-sort echo exit get-assertions get-assignment get-info get-model get-option get-proof
		get-unsat-assumptions get-unsat-core get-value pop push reset reset-assertions set-info set-logic set-option
		true false not and or xor => = distinct ite Bool Int Real Array BitVec String
		+ - * / div mod abs <= < >= > divisible to_real to_int is_int ^ select store const
		concat extract zero_extend sign_extend repeat rotate_left rotate_right int2bv nat2bv
		if iff implies map default lambda choice cons nil pi e exp sin cos tan sqrt iand pow2 is update witness sat unsat unknown`) {
		m[w] = true
	}
	return m
}()
