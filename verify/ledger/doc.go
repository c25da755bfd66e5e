// Package ledger is the verification log: append-only, signed, tamper-evident. It is a transparency log on disk in the
// tlog-tiles layout (https://c2sp.org/tlog-tiles) with signed checkpoints; its entries are in-toto statements in DSSE envelopes.
//
//	checkpoint              the signed size and root hash
//	tile/0/000.p/5          hashes, 256 a tile
//	tile/entries/000.p/5    entries, each with a 16-bit length
//	blobs/ab/cdef....zst    what entries refer to by digest: inputs of proofs, texts of obligations, certificates; Zstandard
//	key, key.pub            Ed25519; key is readable by its owner only
//	witness/<key hash>      checkpoints that witnesses cosigned (https://c2sp.org/tlog-cosignature)
//	journal.0, journal.1    appends since the last full sync; empty when the log is closed
//
// An append returns when it is durable: in a journal. The other files follow within milliseconds, in the background; Publish waits for
// them. A crash at any byte leaves the log as it was before the append or after it, once it is opened again.
//
// The key can be replaced: an entry that the old and the new key sign says so, and from the next entry on the new one signs.
//
// The log proves which decisions were sound and in which order; it does not prove that nothing else wrote to the switch. Package
// ledger/check reads and checks a log and shares no code with this package.
package ledger
