package plan

import "github.com/interlock/interlock/verify/plan/model"

// Entries is what a plan does to page-table entries, decoded from its bytes: scrubs and fences are left out.
type Entries struct {
	Pre   model.Tables
	Steps [][]model.Update // of each step; none where it only fences or scrubs
	Late  []model.Update   // that earlier requests without an answer may still do
	// Limits are the plan's, by tenant and stage array.
	Limits map[model.Place]model.Limit
}

// Entries decodes what a plan does to page tables, as strictly as Obligations does: what cannot be read for certain is an *InputError.
func (e *Encoder) Entries(in *Input) (*Entries, error) {
	d, err := e.decode(in)
	if err != nil {
		return nil, err
	}
	out := &Entries{Pre: d.pre.model(), Late: d.late.entries, Limits: d.placedLimits()}
	for _, s := range d.steps {
		out.Steps = append(out.Steps, s.entries)
	}
	return out, nil
}
