package ledger

import (
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/interlock/interlock/verify"
)

// blobPath is blobs/ab/cdef....zst for the digest of the stored bytes.
func blobPath(stored verify.Digest) string {
	hex := string(stored[len("sha256:"):])
	return "blobs/" + hex[:2] + "/" + hex[2:] + ".zst"
}

// packer compresses blobs. What it makes of bytes depends on them alone.
type packer struct{ z *zstd.Encoder }

func newPacker() (packer, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderCRC(false), // the digest is one
		zstd.WithZeroFrames(true))
	return packer{z}, err
}

func (p packer) pack(b []byte) (Blob, []byte) {
	packed := p.z.EncodeAll(b, nil)
	return Blob{Content: verify.DigestOf(b), Stored: verify.DigestOf(packed), Size: int64(len(b))}, packed
}

// maxKept bounds how many blobs, and how many packs of texts, a log remembers.
const maxKept = 64

// attachment collects what an append stores beside its entry.
type attachment struct {
	log   *Log
	files map[string][]byte // by path
	kept  map[verify.Digest]Blob
	packs []*textPack
}

// add stores b unless it is stored already, as what every decision refers to is, the linked program.
func (a *attachment) add(b []byte) Blob {
	content := verify.DigestOf(b)
	if ref, ok := a.log.kept[content]; ok {
		return ref
	}
	ref, packed := a.log.packer.pack(b)
	if path := blobPath(ref.Stored); !a.log.disk.exists(path) {
		a.files[path] = packed
	}
	a.kept[content] = ref
	return ref
}

// keep remembers what has been appended, so that later appends need not store it again.
func (a *attachment) keep() {
	l := a.log
	if l.kept == nil || len(l.kept)+len(a.kept) > maxKept {
		l.kept = map[verify.Digest]Blob{}
	}
	for content, ref := range a.kept {
		l.kept[content] = ref
	}
	l.packs = append(l.packs, a.packs...)
	if n := len(l.packs) - maxKept; n > 0 {
		l.packs = append([]*textPack(nil), l.packs[n:]...)
	}
}

func (l *Log) newAttachment() *attachment {
	return &attachment{log: l, files: map[string][]byte{}, kept: map[verify.Digest]Blob{}}
}

// A textPack is a blob with texts that obligations have: one after the other, each behind a line that is a comment in SMT-LIB and says
// its digest and its length in bytes.
type textPack struct {
	action string
	ref    Blob
	has    map[verify.Digest]bool
}

// maxPacks bounds how many packs of texts a decision refers to.
const maxPacks = 8

// addTexts stores the texts of obligations and of their guards. Most plans share nearly all of theirs with earlier ones, so it refers to the
// packs that have most of what is needed, and makes a new one of the rest. Decisions of different actions share none: an
// export may have to leave out what shows programs.
func (a *attachment) addTexts(action string, obligations []verify.Obligation) []Blob {
	texts := map[verify.Digest]string{} // that are not stored yet
	var order []verify.Digest
	need := func(text string) {
		d := verify.DigestOf([]byte(text))
		if _, ok := texts[d]; !ok {
			texts[d] = text
			order = append(order, d)
		}
	}
	for _, o := range obligations {
		need(o.Text)
		if o.Guard != "" {
			need(o.Guard)
		}
	}
	var refs []Blob
	for len(refs) < maxPacks-1 && len(texts) > 0 {
		var best *textPack
		most := 0
		for _, p := range a.log.packs {
			if p.action != action {
				continue
			}
			n := 0
			for d := range texts {
				if p.has[d] {
					n++
				}
			}
			if n > 0 && n >= most { // the newest of equals: it is remembered longest
				best, most = p, n
			}
		}
		if best == nil {
			break
		}
		refs = append(refs, best.ref)
		for d := range best.has {
			delete(texts, d)
		}
	}
	if len(texts) == 0 {
		return refs
	}
	fresh := &textPack{action: action, has: map[verify.Digest]bool{}}
	var b []byte
	for _, d := range order {
		if text, ok := texts[d]; ok {
			b = fmt.Appendf(b, "; %s %d\n%s\n", d, len(text), text)
			fresh.has[d] = true
		}
	}
	fresh.ref = a.add(b)
	a.packs = append(a.packs, fresh)
	return append(refs, fresh.ref)
}
