package syntax

import "fmt"

// A Pos is a place in a source file, before preprocessing: a token that came out of an include or a macro carries the
// place where its text stands in the file that the user wrote (for the text of a macro, where the macro is used). The
// zero Pos is "no position".
type Pos struct {
	File string // as given by the caller, or as resolved by an #include
	Line int    // from 1
	Col  int    // from 1, in bytes
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
