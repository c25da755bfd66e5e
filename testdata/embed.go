// Package testdata carries the example site and its tenants' programs, so that 'interlock init' can write them out: the site that the
// tests, the demo and the documents use is the one that a user starts from.
package testdata

import "embed"

// Quickstart is the site in sites/quickstart/site.yaml with the tenants' programs that it names, by their paths below this folder.
//
//go:embed sites/quickstart/site.yaml tenants/kv.p4 tenants/hh.p4 tenants/fw.p4
var Quickstart embed.FS
