package p4info

// Codes of this package's diagnostics. A code never changes its meaning; a retired one is not used again.
const (
	codeArch        = "P4301" // a main that is no V1Switch, or (warning) no main at all
	codeID          = "P4302" // an @id that is no number, has another kind's prefix or is used twice: @id(0x01000005) table t
	codeAnnotation  = "P4303" // a known annotation with other arguments than it takes: @name(5)
	codeKeyName     = "P4304" // a key that is no path and has no @name: key = { a + b : exact; }
	codeSize        = "P4305" // a size that does not follow from the program: register<bit<8>>(n) with n unknown
	codeType        = "P4306" // a type that P4Info cannot express at this place: a key of an enum type without representation
	codeScope       = "P4307" // an action that is both @tableonly and @defaultonly
	codeDirect      = "P4308" // a direct counter or meter that two tables share
	codeDuplicate   = "P4309" // two objects of one kind and name
	codeEntry       = "P4310" // an initial entry or default action that P4Runtime cannot express: priority = 0: (1 &&& 2) : a();
	codeUnsupported = "P4399" // legal, but not described yet
)
