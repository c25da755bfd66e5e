// Package p4 loads P4-16 programs: it parses with the declarations of core.p4 and v1model.p4 that the binary carries and checks
// the result. It promises that a program without error diagnostics was parsed and checked as a whole; it does not decide
// whether the program is fit for a target, nor for being a tenant.
//
// The tree and its positions are package syntax's, what names and expressions mean is package types'. Load does in one call what
// most users want:
//
//	info, diags := p4.Load("fw.p4", nil)
//	if err := diags.Err(); err != nil {
//		return err // every error, one a line, as file:line:col: error[P4xxx]: ...
//	}
//
// Several programs may be loaded at once from several goroutines, also with one Options.
package p4
