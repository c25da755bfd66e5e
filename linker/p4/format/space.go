package format

// spaced reports whether b, which stands in the same line behind a, is set apart from it.
func spaced(a, b *token) bool {
	if a.raw && b.raw || b.raw && a.role == callOpen || a.raw && b.role == parenClose && a.role != at {
		if b.pragma && a.pragma {
			return b.space
		}
		return b.space && !a.is("(") && !b.is(")") && !b.is(",") || glued(a, b)
	}
	if b.pragma && !a.is("@") {
		return true
	}
	return wantsSpace(a, b) || glued(a, b)
}

func wantsSpace(a, b *token) bool {
	switch {
	case b.is(";"), b.is(","):
		return a.is(";") && b.is(";") && !a.starts // for ( ; ; )
	case a.role == at, a.role == member, a.role == absolute, b.role == member:
		return false
	case a.role == callOpen, a.role == groupOpen, a.role == indexOpen, a.role == angleOpen:
		return false
	case b.role == parenClose, b.role == castClose, b.role == indexClose, b.role == angleClose, b.role == callOpen,
		b.role == indexOpen, b.role == angleOpen:
		return false
	case a.role == listOpen && b.role == listClose, a.role == blockOpen && b.role == blockClose:
		return false
	case a.role == unary, a.role == castClose && !b.comment():
		return false
	case a.role == tight, b.role == tight, b.role == labelColon:
		return false
	case a.is(">") && b.is(">") && a.role == binary:
		return b.space // a shift
	}
	return true
}
