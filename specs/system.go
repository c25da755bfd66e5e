package specs

import _ "embed"

// SystemP4 is the text of the system program: a template, which the linker fills in with the tenants and the site.
//
//go:embed system/system.p4.tmpl
var SystemP4 string

// TagTypes are the TPIDs of VLAN tags, in use now or once: C-tag, S-tag (802.1ad), and those of older provider tags. The type
// that a tenant's packet carries behind its tag is none of them.
func TagTypes() []uint16 { return []uint16{VLANEtherType, ServiceTag, 0x9100, 0x9200, 0x9300} }
