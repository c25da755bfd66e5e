// Package metering computes what tenants owe: pure functions over a record of who held which slots when, and of the terms in force. It
// reads neither logs nor clocks.
//
// What is metered is register memory, slot by slot. A tenant's cost at a moment is the policy's price of all that it holds then, on all
// switches together, in credits an epoch; what it owes for an interval is the integral of that, exactly: prices are Ratios, times are whole
// nanoseconds, intervals are half open. Nothing is rounded on the way, so that [a,b) and [b,c) owe together what [a,c) owes. In the end
// each invoice's total is rounded down to a millionth of a credit, in the tenant's favour, once; its lines are rounded so that they add up to
// it: each down, and what is missing then goes, a millionth each, to the lines that lost most, the first of equals.
//
// A price is evaluated as it is in an allocation in which each tenant holds what it holds and asks for no more. A policy without a
// price, or in Shadow mode, charges nothing; what was held is metered all the same. Where the record does not say what was held, or on which
// terms, nothing is charged, and the bill says so: see Gap.
package metering
