// Package policy reads sharing policies and decides by them what each tenant is entitled to.
//
// A policy is a YAML document (kind SharingPolicy, schema.json) whose decisions are CEL expressions; the engine is generic
// progressive filling: the tenant of least rank is offered its next grant, whole or not at all, until nobody can be given more
// (specs/policies/ENGINE.md is its definition). DRF, quotas and pay-as-you-go are documents in specs/policies, not code here.
//
// It promises exactness (integers and Ratio; no doubles, clocks or regular expressions), determinism (ties by name, maps in the order
// of names), bounded work (static and run-time cost limits), and that whatever goes wrong in an expression refuses, with the position
// in the document. It does not know what the resources are, and it neither measures nor applies anything.
//
// Whoever reads policies otherwise than by evaluating them finds the checked syntax trees in Policy.Expressions, the names and types that
// they may read in Names, TenantFields and Policy.Params, the overloads in Functions, and evaluates single expressions in a State.
package policy
