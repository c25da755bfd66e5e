package specs

import "embed"

// Lemmas holds the standing lemmas, lemmas/*.smt2: what the encoders of verify rest on, and the recipe and evict proved once and for
// all. Package verify/lemma reads and decides them; README.md says what follows.
//
//go:embed lemmas/*.smt2
var Lemmas embed.FS
