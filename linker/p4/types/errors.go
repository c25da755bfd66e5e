package types

// Codes of the checker's diagnostics. A code never changes its meaning; a retired one is not used again.
const (
	codeUndeclared     = "P4201" // a name that is declared nowhere, or only further down: x = y;
	codeRedeclared     = "P4202" // a second declaration of a name in one scope: bit<8> x; bool x;
	codeNotType        = "P4203" // a value where a type stands: x y;
	codeNotValue       = "P4204" // a type, action, table or instance where a value stands: y = some_action;
	codeTypeArgs       = "P4205" // wrong number of type arguments, or none where some are needed: register(4) r;
	codeBadType        = "P4206" // a type that may not stand here: header h { bool[3] x; }
	codeWidth          = "P4207" // a width or size that is not a constant, negative or too large: bit<x> y;
	codeMismatch       = "P4208" // a value of another type than wanted: bit<8> x = true;
	codeOperand        = "P4209" // an operator that is not defined on its operands: true + 1
	codeNotConst       = "P4210" // a value that must be known at compile time and is not
	codeOverflow       = "P4211" // a constant expression that has no value or a huge one: 1 / 0, 1 << 99999999
	codeTruncated      = "P4212" // warning: a constant that does not fit its type: bit<4> x = 99;
	codeNoMember       = "P4213" // a field, method, error or enum member that does not exist: hdr.nope
	codeIndex          = "P4214" // an index or slice out of bounds, or of something that has no elements: x[9:0] of bit<8>
	codeNotLValue      = "P4215" // assignment or out argument that cannot be written: f(1) with an out parameter
	codeNotCallable    = "P4216" // a call of something that is no function: x()
	codeArgs           = "P4217" // too few, too many, unknown or mixed arguments: f(a, x = b)
	codeInfer          = "P4218" // a type argument that is neither given nor follows from the arguments
	codeAmbiguous      = "P4219" // a call that several overloads could take
	codeContext        = "P4220" // a statement, declaration or call that may not stand here: exit in a parser
	codeCast           = "P4221" // a cast that the language does not define: (bool) 8w3
	codeDirection      = "P4222" // a direction that may not stand here: an out parameter of a constructor
	codeNoStart        = "P4223" // a parser without a start state, or one that declares accept or reject
	codeState          = "P4224" // a transition to something that is no state of this parser
	codeKeyset         = "P4225" // a keyset that does not fit its select expression, key or match kind
	codeTable          = "P4226" // a table property that is missing, repeated or ill-formed
	codeActionRef      = "P4227" // an action of a table, entry or switch that is unknown, unlisted or ill-bound
	codeMatchKind      = "P4228" // an unknown match kind
	codeReturn         = "P4229" // return of a value where none is due, or the other way round
	codeSwitch         = "P4230" // a switch label that repeats or does not fit
	codePackage        = "P4231" // an argument of a package that is no parser or control of the wanted type
	codeInitialiser    = "P4232" // a list or struct expression that does not fit what it initialises
	codeDuplicateEntry = "P4233" // two members, fields or properties of the same name
	codeIndistinct     = "P4240" // warning: a second function that no call can tell from the first: void f(in bit<8> a) {} twice
	codeAbstract       = "P4241" // an abstract method that is not implemented, or not as it is declared
	codeAnnotation     = "P4250" // an annotation that the language defines, with other arguments than it takes: @name(4) table t
	codeShadow         = "P4251" // a local of a block that hides a parameter: action a(bit<8> x) { bit<8> x; }
	codeDeadParser     = "P4252" // a parser that can reach neither accept nor reject
	codeControlName    = "P4253" // two objects with one name for the control plane: @name(".a") table t, @name(".a") table u
	codeInstances      = "P4254" // controls that instantiate controls, and so on, beyond any use
	codeKeyName        = "P4255" // a key whose expression gives it no name, and that has no @name: key = { a + b : exact; }
	codeProperty       = "P4260" // warning: a table property that the architecture does not know: junk = 1;
	codeExtension      = "P4261" // warning: accepted as p4c does, though the specification does not define it: const int x = 8w1;
	codePriority       = "P4262" // warning: entries of equal priority, or that are not in the order of their priorities
	codeGrouping       = "P4263" // warning: an expression that p4c groups otherwise than the specification: a ? b : c ? d : e
	codeUnsupported    = "P4299" // a node that the checker does not know: no text has one, but a tree made by hand may
)
