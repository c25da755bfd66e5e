package specs

import (
	"encoding/binary"
	"fmt"
)

// Names and widths that the linker writes into a linked program and that everybody else looks for in it: the linked-program
// ABI. They are names only. The verifier finds objects by these names in the text that will be installed and checks what they
// are; it does not take the linker's word for anything.
const (
	// SystemPrefix starts every system name; tenant t's names start with TenantPrefix(t).
	SystemPrefix = "il_"

	// CPUPort is the port to and from the controller. Packets that enter there are fence markers or are dropped.
	CPUPort = 510
	// DropPort is v1model's drop value of egress_spec.
	DropPort = 511
	// MarkerEtherType marks a fence marker: Ethernet with this type (IEEE 802 local experimental 1) and MarkerAddresses, then a
	// 64-bit nonce.
	MarkerEtherType = 0x88B5
	// VLANEtherType is the TPID of a tenant's tag. ServiceTag is the one of a provider's (802.1ad) tag.
	VLANEtherType = 0x8100
	ServiceTag    = 0x88A8

	// PacketsCounter and HitsCounter are indirect packet counters with an index per VID (size 4096): packets that asked for
	// register memory, and those that it served.
	PacketsCounter = "il_packets"
	HitsCounter    = "il_hits"

	// AdmissionTable is the P4Info name of the table that says which tenants' packets go on to their code, by the same key as page
	// tables; AdmitAction, without parameters, is what its entries do. Without an entry a tenant's packets are dropped.
	AdmissionTable = "il_admission"
	AdmitAction    = "il_admit"

	// PageTableKey is the name of the only key of a page table and of the admission table, exact, 12 bits: the VID.
	PageTableKey = "vid"

	// VirtualMetadata, PageMetadata and MemoryMetadata are the fields of the linked program's metadata that pass between system and
	// tenant code: the tenant's standard_metadata, the page-table entry (which tenant code only reads), and whether the packet asked for
	// memory and missed. Tenant t's own headers and metadata are the fields of the name t.
	VirtualMetadata = "il_vsm"
	PageMetadata    = "il_page"
	MemoryMetadata  = "il_memory"

	// Widths, in bits, of page-table action parameters. slot = base + v' with v' < size cannot wrap in 32 bits.
	BaseBits       = 24
	SizeBits       = 24
	MaskBits       = 32
	GenerationBits = 16
)

// MarkerAddresses are the destination and source address of the fence markers that are sent under an election id: locally
// administered, so that no host has them, and different for each id, so that no late marker of an earlier controller passes for one
// of a later.
func MarkerAddresses(electionID uint64) (a [12]byte) {
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], electionID)
	a[0], a[1], a[6], a[7] = 0x02, 'i', 0x02, 'i'
	copy(a[2:6], id[:4])
	copy(a[8:12], id[4:])
	return a
}

// A ParserBound is how far a target's parser gets with one packet. What a target does with a packet that goes further is not known.
type ParserBound struct {
	// States is the largest number of parser states that a packet goes through, the first one and repeated ones included.
	States int `json:"states"`
	// Bytes is how far into the packet the parser reads: what it extracts, skips and looks ahead at, from the first byte on.
	Bytes int `json:"bytes"`
}

// Within returns the bound that keeps to both.
func (b ParserBound) Within(c ParserBound) ParserBound {
	return ParserBound{min(b.States, c.States), min(b.Bytes, c.Bytes)}
}

// String says the bound in words.
func (b ParserBound) String() string { return fmt.Sprintf("%d states, %d bytes", b.States, b.Bytes) }

// Control is the control that a stage array and its page table belong to.
type Control string

// Controls with stage arrays.
const (
	Ingress Control = "ingress"
	Egress  Control = "egress"
)

// TenantPrefix starts every name of tenant t's objects in the linked program.
func TenantPrefix(t string) string { return t + "__" }

// RunAction is the name of the action of the dispatch tables that leads to tenant t's code.
func RunAction(t string) string { return SystemPrefix + "run_" + t }

// PageTable is the P4Info name of a control's page table; there is none when no tenant has virtual registers there.
func PageTable(c Control) string { return "il_page_" + string(c) }

// MapAction is the P4Info name of the page table's action. Its parameters are, for each stage k in order, BaseParam(k),
// SizeParam(k), MaskParam(k) and GenerationParam(k), with P4Runtime ids 4k+1 .. 4k+4.
func MapAction(c Control) string { return "il_map_" + string(c) }

// StageArray is the P4Info name of the register of stage k.
func StageArray(c Control, k int) string { return fmt.Sprintf("%s%s_%d", StageArrayPrefix, c, k) }

// StageArrayPrefix starts the name of every stage array.
const StageArrayPrefix = SystemPrefix + "stage_"

// BaseParam is the name of the parameter with the extent's first slot.
func BaseParam(k int) string { return fmt.Sprintf("base_%d", k) }

// SizeParam is the name of the parameter with the extent's number of slots.
func SizeParam(k int) string { return fmt.Sprintf("size_%d", k) }

// MaskParam is the name of the parameter with the index mask: size-1 for a folded register, all ones for a directly indexed one.
func MaskParam(k int) string { return fmt.Sprintf("mask_%d", k) }

// GenerationParam is the name of the parameter with the extent's generation.
func GenerationParam(k int) string { return fmt.Sprintf("gen_%d", k) }
