package main

const (
	exercise  = "an exercise that is left for students to complete: "
	sameName  = "two objects of one kind with one name for the control plane (specification, section \"Control-plane names\"); p4c refuses it"
	redeclare = "a name is declared twice in one scope; the folder's README shows p4c's error"
	unnamed   = "an action profile without a name, which p4c says P4Runtime does not support"
	onPurpose = "its name or comments say that it is an error: "
)

// checkouts says, by the name of the folder, what the repositories ask for and which of their programs are wrong.
var checkouts = map[string]checkout{
	"tutorials": {
		wrong: map[string]string{
			"exercises/flowcache/flowcache.p4": exercise + "packet_out_header_h has no fields yet",
		},
	},
	"netcache": {},
	"sonic-pins": {
		include: []string{"sai_p4/instantiations/google"},
		settings: []setting{
			{under: "sai_p4/instantiations/google/"},
			{under: "sai_p4/instantiations/google/", defines: []string{"PLATFORM_BMV2"}},
			{under: "sai_p4/instantiations/google/", defines: []string{"PLATFORM_P4SYMBOLIC"}},
			{under: "p4_infra/p4_pdpi/"},
			{under: "p4_infra/p4_pdpi/", defines: []string{"PDPI_EXTRA_MATCH_FIELD"}},
		},
	},
	"p4-learning": {
		wrong: map[string]string{
			"examples/multiqueueing/multi_queueing.p4":                                "needs a v1model.p4 with a field qid, which its README says how to patch in",
			"exercises/03-L2_Basic_forwarding/p4runtime/p4src/l2_basic_forwarding.p4": exercise + "headers is not declared",
			"exercises/03-L2_Basic_forwarding/thrift/p4src/l2_basic_forwarding.p4":    exercise + "headers is not declared",
			"exercises/04-MPLS/p4runtime/mpls_basics/basics.p4":                       exercise + "a control without apply",
			"exercises/04-MPLS/p4runtime/mpls_stacked/stacked.p4":                     exercise + "TYPE_MPLS is not declared",
			"exercises/04-MPLS/thrift/mpls_basics/basics.p4":                          exercise + "a control without apply",
			"exercises/04-MPLS/thrift/mpls_stacked/stacked.p4":                        exercise + "TYPE_MPLS is not declared",
			"exercises/05-ECMP/p4src/ecmp.p4":                                         exercise + "an empty table",
			"exercises/05-Flowlet_Switching/p4src/flowlet_switching.p4":               exercise + "a parser without its end",
			"exercises/06-Heavy_Hitter_Detector/heavy_hitter.p4":                      exercise + "an empty table",
			"exercises/11-Packet-Loss-Detection/p4src/loss-detection.p4":              exercise + "lines that begin with # TODO",
		},
	},
	"p4-guide": {
		include: []string{"stdlib"},
		settings: []setting{
			{under: "ipdk/", defines: []string{"TARGET_BMV2_V1MODEL"}},
			{under: "code-generation/", include: []string{"code-generation/generated-files"}},
		},
		wrong: map[string]string{
			"checksum/checksum-ipv4-with-options.p4":                                    "reads a field clone_spec, which v1model.p4 has no more",
			"namespaces/sample1.p4":                                                     "a proposal: P4-16 has no namespaces",
			"calling-convention/calling-convention.p4":                                  "its checksum controls have the directions of v1model.p4 before 2018 (in, not inout)",
			"exit-statement/err-exit-1.p4":                                              onPurpose + "err-",
			"loop-test-progs/err-loop-var-cannot-be-used-in-slice1.p4":                  onPurpose + "err-",
			"loop-test-progs/err-loop-var-in-range-no-typeref1.p4":                      onPurpose + "err-",
			"loop-test-progs/err-loop-var-in-range-no-typeref2.p4":                      onPurpose + "err-",
			"loop-test-progs/err-loop-var-not-in-scope-outside-of-loop1.p4":             onPurpose + "err-",
			"loop-test-progs/err-var-is-not-compile-time-known-value1.p4":               onPurpose + "err-",
			"name-annotations/v1model/action-different-names-same-name-annot1.p4":       sameName,
			"name-annotations/v1model/actions-5-same-name-annot.p4":                     sameName,
			"name-annotations/v1model/actions-6-same-name-annot.p4":                     sameName,
			"name-annotations/v1model/actions-7-annot-same-as-action-name.p4":           sameName,
			"name-annotations/v1model/counter-different-names-same-name-annot1.p4":      sameName,
			"name-annotations/v1model/issue-1949.p4":                                    sameName,
			"name-annotations/v1model/pvs-different-names-same-name-annot1.p4":          sameName,
			"name-annotations/v1model/table-different-names-same-name-annot1.p4":        sameName,
			"name-annotations/v1model/action-same-names1.p4":                            redeclare,
			"name-annotations/v1model/actions-1-same-name.p4":                           redeclare,
			"name-annotations/v1model/actions-2-same-name.p4":                           redeclare,
			"name-annotations/v1model/counter-same-names1.p4":                           redeclare,
			"name-annotations/v1model/pvs-same-names1.p4":                               redeclare,
			"name-annotations/v1model/table-same-names1.p4":                             redeclare,
			"p4runtime-translation/weird-case4.p4":                                      onPurpose + "arithmetic on new types \"does not compile with p4c\"",
			"preprocessor/exper1a.p4":                                                   "an #ifdef without #endif in a file that it includes; the README shows cpp's error",
			"run-time-params/control-variable1.p4":                                      onPurpose + "a variable of a control's type",
			"run-time-params/control-variable2.p4":                                      onPurpose + "a variable of a control's type",
			"run-time-params/control-variable3.p4":                                      onPurpose + "an assignment to an instance",
			"scope-of-declared-variables/prog4p4.p4":                                    onPurpose + "bit<8> i = i, with no other i",
			"table-size-tests/keyless-table-with-entries-bmv2.p4":                       "entries of a table without a key (specification, section \"Tables\"); p4c refuses it",
			"v1model-special-ops/v1model-multiple-resubmit-reasons-field-list-annot.p4": "a proposal for another v1model: field lists named by annotations",
			"v1model-special-ops/v1model-multiple-resubmit-reasons-params.p4":           "a proposal for another language: untagged unions",
			"v1model-special-ops/v1model-multiple-resubmit-reasons-resubmit-annot.p4":   "a proposal for another v1model: resubmit with an annotation",
		},
		undescribed: map[string]string{
			"action-profile-and-selector/action-profile.p4":  unnamed,
			"action-profile-and-selector/action-selector.p4": unnamed,
			"v1model-special-ops/v1model-more-externs.p4":    unnamed,
		},
		absent: map[string]string{
			"table-entries-with-for-loops/example2.p4":                            "boost/preprocessor.hpp",
			"tcp-options-parser/look-for-ts-tcp-option/look-for-ts-tcp-option.p4": "what generate.py writes",
		},
	},
}
