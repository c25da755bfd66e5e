package v1model

// Codes of this package's diagnostics. A code never changes its meaning; a retired one is not used again.
const (
	codeHeaders     = "P4401" // a type of headers that is no struct of headers, stacks and unions: parser P(packet_in b, out some_header h, ...)
	codeHeaderSize  = "P4402" // a header of the packet that is no whole number of bytes: header h { bit<31> x; }
	codeLPM         = "P4403" // a table with two keys matched by lpm
	codeDirectMeter = "P4404" // a direct_meter without the table or the read that it needs, or with a result other than bit<W>
	codeRegister    = "P4405" // a register of something that has no bits: register<some_struct>(4) r;
	codeActionData  = "P4406" // action data that the control plane cannot give: action a(some_struct s)
	codeChecksum    = "P4407" // a statement that may not stand in the control that verifies or computes checksums
	codeDeparser    = "P4408" // a statement that may not stand in the deparser
	codeExtern      = "P4409" // an extern that neither core.p4 nor v1model.p4 declares
	codeSelector    = "P4411" // tables that share an action_selector and feed it different keys
	codePlace       = "P4412" // a function called in a block that it does not belong to: resubmit in egress
	codeEntry       = "P4413" // a const entry that wants a value of a key that only feeds a selector
	codeDivision    = "P4410" // a division of values that only the packet brings: x / y
)
