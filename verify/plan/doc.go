// Package plan proves reallocation plans: properties M1 to M7 of DESIGN.md §5.2, for the exact write requests that the gate
// will send, under any subset and order of the updates inside a request, death at any point, and packets in flight.
package plan
