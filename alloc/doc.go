// Package alloc decides who gets which register memory, epoch by epoch, and writes the plan that leads there.
//
// It is made of pure functions: counter readings become samples, samples utility, utility target sizes (a Strategy, within the
// sharing policy's floors and ceilings), sizes extents with the least disturbance (Place), and extents a plan by the recipe of
// DESIGN.md §5.2 (Build). Loop strings them together; its clock, its switch and the gate are passed in.
//
// Nothing here is trusted: a plan goes through verify/plan like anybody's, and a wrong one is refused. This package sends nothing
// to a switch.
package alloc
