// Package p4 loads P4-16 programs: it parses with the declarations of core.p4 and v1model.p4 that the binary carries and checks
// the result. It promises that a program without error diagnostics was parsed and checked as a whole; it does not decide
// whether the program is fit for a target, nor for being a tenant.
package p4
