// Package v1model checks the rules that the v1model architecture adds to the language: what v1model.p4 says in its comments
// about the blocks of a V1Switch and its externs, and what no v1model target takes. It promises to report each breach once, at its
// place; it presumes that the program passed types.Check. It does not check what only one target cannot do.
package v1model
