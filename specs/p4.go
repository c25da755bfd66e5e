package specs

import _ "embed"

// CoreP4 is the text of core.p4: the declarations of the P4-16 core library.
//
//go:embed p4/core.p4
var CoreP4 string

// V1ModelP4 is the text of v1model.p4; it includes core.p4.
//
//go:embed p4/v1model.p4
var V1ModelP4 string
