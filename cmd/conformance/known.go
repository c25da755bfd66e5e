package main

const target = "legal; p4c's back end does not do "

// knownWrong are failures that the sample or what p4c expects of it is to blame for, by line and file: what is wrong, with the
// section of the specification (P4-16 language specification, version 1.2.5, if no other is named). They count as failures all
// the same: the table only explains them.
var knownWrong = map[string]map[string]string{
	"reject": {
		"testdata/p4_16_errors/array4.p4": target + "arrays with many indices known only at run time",
		"testdata/p4_16_errors/compound-assignment.p4": target + "/= and %= at run time, which the language has (section \"Assignment\") " +
			"though it has no such operators (section \"Operations on fixed-width bit types\"); we warn",
		"testdata/p4_16_errors/issue2545.p4":                    target + "an extern function with an out argument that is a nested struct",
		"testdata/p4_16_errors/issue3291.p4":                    "a generic struct specialised with itself is no recursion: the inner one is another type",
		"testdata/p4_16_errors/issue3299.p4":                    target + "switch in actions, which section \"Switch statement\" allows",
		"testdata/p4_16_errors/issue3613.p4":                    "p4c makes tables of switch statements and wants core.p4 for that; the program is legal without",
		"testdata/p4_16_errors/issue5703_header_union_stack.p4": target + "an index into a stack of header unions known only at run time",
	},
	"stf": {
		"testdata/p4_16_samples/extern-funcs-bmv2.stf": "calls an extern function that the program declares itself and p4c's test " +
			"adds to BMv2 in C++: it is no part of v1model",
		"testdata/p4_16_samples/issue1062-1-bmv2.stf": "matches on a key of type error, which P4Runtime 1.x does not have (p4c leaves " +
			"the program out of its P4Runtime tests for that)",
	},
	"p4info": {
		"testdata/p4_16_samples/issue2735-bmv2.p4": "p4c removes an extern object that nothing uses if its type is a typedef, and " +
			"only then; every instance of an extern that the program declares is part of the control plane " +
			"(P4Runtime specification, section \"P4Info\": one message for each instance)",
	},
}
