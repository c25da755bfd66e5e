package main

// knownWrong are failures that the sample or what p4c expects of it is to blame for, by line and file: what is wrong, with the
// section of the specification (P4-16 language specification, version 1.2.5, if no other is named). They count as failures all
// the same: the table only explains them.
var knownWrong = map[string]map[string]string{
	"p4info": {
		"testdata/p4_16_samples/issue2735-bmv2.p4": "p4c removes an extern object that nothing uses if its type is a typedef, and " +
			"only then; every instance of an extern that the program declares is part of the control plane " +
			"(P4Runtime specification, section \"P4Info\": one message for each instance)",
	},
}
