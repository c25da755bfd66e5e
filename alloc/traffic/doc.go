// Package traffic generates tenants' traffic from a seed: requests with Zipf-distributed popularity whose rates, working sets and
// favourites change over time, as tagged Ethernet packets on the physical ports of a switch.
//
// The same Spec gives the same packets, bit for bit. Packets are well-formed (lengths and checksums), so that tenant programs that
// verify them work as they would outside.
//
// A trace is open-loop: it is laid down before anybody knows what the switch will answer. A key-value server in it answers every
// request, as one recorded where there was no cache; a cache that has answered already is only told again what it knows.
// Servers that see what really leaves the switch are Responder's.
package traffic
