package syntax

import "strings"

// A Comment is one // or /* */ comment.
type Comment struct {
	Pos  Pos
	Text string // with its markers, as written

	behind bool // code stands before it in its line
}

// endLine is the line that the comment ends in.
func (c Comment) endLine() int32 { return c.Pos.Line + int32(strings.Count(c.Text, "\n")) }

// A CommentGroup is a run of comments with nothing between them, not even an empty line.
type CommentGroup []Comment

// Text returns what the group says: without comment markers, the stars that begin the lines of a block, empty lines at
// either end and white space at the ends of lines.
func (g CommentGroup) Text() string {
	var lines []string
	for _, c := range g {
		text, block := strings.CutPrefix(c.Text, "/*")
		if !block {
			lines = append(lines, strings.TrimPrefix(strings.TrimPrefix(c.Text, "//"), " "))
			continue
		}
		text = strings.TrimPrefix(strings.TrimSuffix(text, "*/"), "*")
		for i, line := range strings.Split(text, "\n") {
			line = strings.TrimLeft(line, " \t")
			if i > 0 {
				line = strings.TrimPrefix(line, "*")
			}
			lines = append(lines, strings.TrimPrefix(line, " "))
		}
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\r")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// Doc returns the comments that stand directly above n, or above its annotations if it is a declaration: nil if there are
// none, or an empty line lies between. Comments behind code are about that code, and not part of what follows.
func (p *Program) Doc(n Node) CommentGroup {
	pos := n.Pos()
	if d, ok := n.(Decl); ok {
		for _, a := range d.Annots() {
			if a.Pos().File == pos.File && a.Pos().Before(pos) {
				pos = a.Pos()
			}
		}
	}
	end := len(p.Comments)
	for end > 0 {
		if c := p.Comments[end-1]; c.Pos.File == pos.File && !c.behind && c.endLine() == pos.Line-1 {
			break
		}
		end--
	}
	start := end
	for ; start > 0; start-- {
		c := p.Comments[start-1]
		if c.Pos.File != pos.File || c.behind || start < end && c.endLine() < p.Comments[start].Pos.Line-1 {
			break
		}
	}
	if start == end {
		return nil
	}
	return CommentGroup(p.Comments[start:end:end])
}

// comments gathers those of one run, in the order in which they are read.
type comments struct {
	list []Comment
	src  *source // the last one's, and where it ends: the scanner may be set back and read it again
	off  int
}

func (c *comments) add(src *source, from, to int, pos Pos, behind bool) {
	if c.src == src && from < c.off {
		return
	}
	c.src, c.off = src, to
	c.list = append(c.list, Comment{Pos: pos, Text: strings.TrimRight(src.text[from:to], " \t\r"), behind: behind})
}
