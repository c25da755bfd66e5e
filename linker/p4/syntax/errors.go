package syntax

// Codes of the diagnostics. A code never changes its meaning and is never used again; what a message says may change.

// Preprocessor and scanner.
const (
	CodeBadChar        = "P4001" // a character that starts no token: `bit<8> x = 3 $ 4;`
	CodeOpenComment    = "P4002" // a /* comment without its end
	CodeOpenString     = "P4003" // a string without its closing quote
	CodeBadNumber      = "P4004" // a malformed integer literal: `8w`, `0xZZ`, `12ab`, `0w1`
	CodeBadDirective   = "P4010" // an unknown or malformed directive: `#defin X`, `#include x`
	CodeNoInclude      = "P4011" // a file that was not found, is not readable, or lies outside the include path
	CodeIncludeDepth   = "P4012" // #include nested too deeply, or too many files
	CodeBadCondition   = "P4013" // a malformed #if or #elif expression
	CodeUnbalancedIf   = "P4014" // #else, #elif or #endif without #if, or #if without #endif
	CodeErrorDirective = "P4015" // an #error directive in force
	CodeBadMacro       = "P4016" // a malformed #define, or wrong arguments of a macro
	CodeMacroRedefined = "P4017" // a macro defined again with another meaning (warning)
	CodeWarnDirective  = "P4018" // a #warning directive in force (warning)
	CodeBadLine        = "P4019" // a malformed #line, or one that claims to be a system file
	CodeTooLarge       = "P4020" // a file, the program or the expansion of its macros exceeds its limit
)

// Parser.
const (
	CodeUnexpected    = "P4101" // a token that cannot stand where it stands
	CodeUnknownType   = "P4102" // a name used as a type that is not declared as one
	CodeNotAType      = "P4103" // a type needed, and something else found
	CodeNotAValue     = "P4104" // a type where a value is needed: `x = bit<8>;`
	CodeBadTarget     = "P4105" // an assignment to, or a call of, what is neither a variable nor a method
	CodeTooDeep       = "P4106" // expressions, types or blocks nested too deeply
	CodeTooMany       = "P4107" // too many errors: the rest is not shown
	CodeMisplaced     = "P4108" // a statement or declaration that is not allowed in this place: a table in a parser
	CodeNoApply       = "P4109" // a control without its apply block
	CodeNoStates      = "P4110" // a parser without a state
	CodeBadCtor       = "P4111" // a constructor with another name than its extern
	CodeBadAnnotation = "P4112" // a malformed annotation, or one where none is allowed
	CodeBadProperty   = "P4113" // a malformed table property
	CodeOpenBracket   = "P4114" // end of file inside parentheses, brackets or braces
)
