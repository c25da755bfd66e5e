package main

// knownWrong are samples that the specification (P4-16, version 1.2.5) does not allow, with the section that says so. They count
// as failures all the same: the table only explains them.
var knownWrong = map[string]string{}
