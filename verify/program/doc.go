// Package program proves linked programs: it re-parses the printed program, executes it symbolically for every packet, every
// table and register content, and makes the obligations of properties P1 to P12 of DESIGN.md §5.1.
package program
