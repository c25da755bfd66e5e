// Package format lays out P4-16 source text in one style, as gofmt does for Go: there are no options.
//
// It works on the text that the user wrote, not on what the preprocessor makes of it: #include, #define and macro uses stay, and
// all branches of an #if are formatted. So it needs neither the included files nor a complete program; a fragment will do.
//
// Promises: tokens, comments and directives are the same before and after, in the same order, which is checked before anything
// is returned; formatting twice is formatting once; text that cannot be a part of a program (brackets that do not match, an
// open comment, an expression that breaks off) is refused with its position. What it does not do: find type errors, or every
// syntax error; rewrite code, comments or macro bodies; sort anything.
//
// The style: four spaces for each level of nesting; an opening brace at the end of its line; one statement a line; at most one
// empty line in a row, one around every declaration that takes several lines, none at the ends of a block. Names of fields,
// types and constants, values of table keys, select cases, entries and enum members, and comments behind code are aligned with
// their neighbours'. Blocks written on one line stay so if they fit, except those of if, else and for. The author's line breaks
// inside parentheses and expressions are kept, and what follows is aligned with the opening bracket, or indented by one level
// if nothing stands behind the bracket. Lines of more than 100 columns are broken where that is possible.
package format
