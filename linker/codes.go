package linker

import (
	"fmt"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/vrm"
)

// Codes of the linker's diagnostics. A code never changes its meaning.
const (
	CodeProgram     = "P4701"  // the program is not there, or has no main
	CodeUnsupported = "P4702"  // the linker does not support this yet
	CodeName        = "P4703"  // a name of the system or of another tenant
	CodeForbidden   = "P4704"  // what tenants may not do: recirculate, clone, multicast, ...
	CodeExtern      = "P4705"  // an extern outside the tenant set
	CodeTag         = "P4706"  // writes or parses a VLAN tag
	CodeSystemState = "P4707"  // writes standard metadata other than the egress port
	CodeLoop        = "P4708"  // a parser loop
	CodeEthernet    = "P4709"  // the packet does not begin with the Ethernet header, on the way in or out
	CodeRegister    = vrm.Code // a register, an annotation or an access that cannot be virtualised
	CodeTarget      = "P4711"  // the target cannot do it
)

// isRefusal says whether a diagnostic is about what a well-formed program does.
func isRefusal(code string) bool {
	switch code {
	case CodeUnsupported, CodeName, CodeForbidden, CodeExtern, CodeTag, CodeSystemState, CodeLoop, CodeEthernet, CodeRegister,
		CodeTarget:
		return true
	}
	return false
}

func diagnosticf(pos syntax.Pos, code, format string, args ...any) syntax.Diagnostic {
	return syntax.Diagnostic{Pos: pos, Code: code, Severity: syntax.Error, Msg: fmt.Sprintf(format, args...)}
}
