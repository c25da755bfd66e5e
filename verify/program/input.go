package program

// Input is everything a proof about a linked program rests on: the obligations are a pure function of it.
type Input struct {
	// Linked is the text of linked.p4, as it will be compiled or loaded.
	Linked []byte `json:"linked"`
	// Tenants registered at the site, with the physical ports that are admitted for them.
	Tenants []Tenant `json:"tenants"`
}

// Tenant as registered.
type Tenant struct {
	Name  string   `json:"name"`
	VID   uint16   `json:"vid"`
	Ports []uint16 `json:"ports"` // physical
}
