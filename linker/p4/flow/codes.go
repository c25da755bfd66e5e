package flow

// Codes of the warnings. A code never changes its meaning; a retired one is not used again.
const (
	codeUninitialised = "P4501" // a value that is not set, or not on every way: bit<8> x; y = x;
	codeInvalidHeader = "P4502" // a field of a header that is invalid, or may be: hdr.ip.setInvalid(); x = hdr.ip.ttl;
	codeOutNotSet     = "P4503" // an out parameter that is not set on every way to the end
	codeUnreachable   = "P4504" // a statement after return, exit, break or continue
	codeDeadState     = "P4505" // a parser state that no way from start leads to
	codeNoAccept      = "P4506" // a parser that never accepts
	codeDeadCase      = "P4507" // a case that another one before it covers
	codeUnused        = "P4510" // a variable, constant, type or instance that nothing uses
	codeNeverRead     = "P4511" // a variable that is assigned and never read
	codeUnusedAction  = "P4512" // an action that no table lists and nothing calls
	codeNotApplied    = "P4513" // a table that is never applied
	codeUnusedCode    = "P4514" // a parser, control or function that nothing uses
	codeUnusedData    = "P4515" // action data that the action does not use
	codeConstant      = "P4520" // a condition that is always true or always false
	codeConstantKey   = "P4521" // a key that never varies
	codeEmptyRange    = "P4522" // a range whose end is less than its start
	codeMaskedBits    = "P4523" // a value with bits outside its mask
	codeAliased       = "P4524" // an out argument that overlaps another argument of the same call
	codeNoDefault     = "P4525" // a state without a transition, or a select that matches not everything: it rejects
	codeDeprecated    = "P4526" // a use of what is marked @deprecated
	codeSelfAssigned  = "P4527" // an assignment of something to itself
)

// kinds are the words of @noWarn("...") for the codes: those of p4c, so that programs need only one.
func kinds(code string) string {
	switch code {
	case codeUninitialised:
		return "uninitialized-use"
	case codeInvalidHeader:
		return "invalid-header"
	case codeOutNotSet:
		return "uninitialized-out-param"
	case codeUnreachable, codeDeadState, codeNoAccept:
		return "unreachable"
	case codeDeadCase, codeNoDefault:
		return "parser-transition"
	case codeUnused, codeNeverRead, codeUnusedAction, codeNotApplied, codeUnusedCode, codeUnusedData:
		return "unused"
	case codeConstant:
		return "branch"
	case codeConstantKey, codeMaskedBits:
		return "mismatch"
	case codeEmptyRange:
		return "invalid"
	case codeAliased:
		return "ordering"
	case codeDeprecated:
		return "deprecated"
	}
	return ""
}
