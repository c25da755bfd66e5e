package syntax

// symbol says what a name means to the grammar: P4 cannot be parsed without knowing which names are types and which take
// type arguments. What a name means beyond that is the type checker's business.
type symbol uint8

const (
	symUnknown symbol = iota // not declared here: the grammar takes it for a value
	symValue
	symGeneric // a function with type parameters: a < after it opens type arguments
	symType
)

// scopes is a stack of name spaces, innermost last. Members after a dot are not looked up here.
type scopes struct{ stack []map[string]symbol }

func (s *scopes) push() { s.stack = append(s.stack, nil) }
func (s *scopes) pop()  { s.stack = s.stack[:len(s.stack)-1] }

func (s *scopes) declare(id *Ident, sym symbol) {
	if id == nil || id.Name == "" {
		return
	}
	top := len(s.stack) - 1
	if s.stack[top] == nil {
		s.stack[top] = map[string]symbol{}
	}
	// Functions may be overloaded: one with type parameters makes the name generic.
	if sym == symValue && s.stack[top][id.Name] == symGeneric {
		return
	}
	s.stack[top][id.Name] = sym
}

func (s *scopes) lookup(name string, absolute bool) symbol {
	for i := len(s.stack) - 1; i >= 0; i-- {
		if absolute {
			i = 0
		}
		if sym, ok := s.stack[i][name]; ok {
			return sym
		}
	}
	return symUnknown
}
