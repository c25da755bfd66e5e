package syntax

import "fmt"

// A Pos is a place in a source file, before preprocessing: a token that came out of an include or a macro carries the
// place where its text stands in the file that the user wrote (for the text of a macro, where the macro is used), and
// knows the way there: see Trail. The zero Pos is "no position". Two positions are equal if place and way are.
type Pos struct {
	File      string // as given by the caller, or as resolved by an #include
	Line, Col int32  // from 1; the column in bytes
	origin    *origin
}

// origin is how a token came to where it stands, if its file's text alone does not say it. It is shared by the tokens
// that came the same way.
type origin struct {
	macro *macro // whose body the token is from; nil: the token is in a file that was included
	body  Pos    // where in that body it stands
	from  Pos    // where the macro is used, or the #include stands; it may have an origin of its own
}

// IsValid reports whether p names a place.
func (p Pos) IsValid() bool { return p.Line > 0 }

// String returns file:line:col, or "-" for no position.
func (p Pos) String() string {
	switch {
	case !p.IsValid():
		return "-"
	case p.File == "":
		return fmt.Sprintf("%d:%d", p.Line, p.Col)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Before orders positions of one file.
func (p Pos) Before(q Pos) bool {
	if p.Line != q.Line {
		return p.Line < q.Line
	}
	return p.Col < q.Col
}

// InMacro reports whether p is of a token that a macro's body yields: then it is where the macro is used.
func (p Pos) InMacro() bool { return p.origin != nil && p.origin.macro != nil }

// maxTrail bounds the notes for one position: the last ones of a long way say little.
const maxTrail = 16

// Trail is the way from the text that the preprocessor found to p, nearest first: for every macro the place in its body,
// then, from inside to outside, the places of the #include that brought the file in. It is empty for what stands plainly
// in the program's own file.
func (p Pos) Trail() []Note {
	var notes []Note
	for o := p.origin; o != nil && len(notes) < maxTrail; o = o.from.origin {
		if o.macro == nil {
			notes = append(notes, Note{Pos: o.from, Msg: "included from here"})
			continue
		}
		msg := "expanded from macro " + o.macro.name
		notes = append(notes, Note{Pos: o.body, Msg: msg})
	}
	return notes
}
