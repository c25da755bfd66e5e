package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
)

// An Obligation as recorded, with its texts.
type Obligation struct {
	ID       string `json:"id"`
	Property string `json:"property"`
	Subject  string `json:"subject"`
	Logic    string `json:"logic"`
	Text     string `json:"text"`
	Guard    string `json:"guard"`
}

// certificate has what is checked of a certificate.
type certificate struct {
	Subject     string   `json:"subject"`
	SubjectKind string   `json:"subjectKind"`
	Encoder     string   `json:"encoder"`
	Required    []string `json:"required"`
	Obligations []struct {
		ID       string `json:"id"`
		Property string `json:"property"`
		Subject  string `json:"subject"`
		Logic    string `json:"logic"`
		Text     string `json:"text"`
		Guard    string `json:"guard"`
	} `json:"obligations"`
	Results []struct {
		Obligation string `json:"obligation"`
		Text       string `json:"text"`
		GuardText  string `json:"guardText"`
		Solver     string `json:"solver"`
		Verdict    string `json:"verdict"`
	} `json:"results"`
}

// Obligations returns a decision's recorded obligations: those that its certificate states, with their texts.
func (l *Log) Obligations(e Entry) ([]Obligation, error) {
	c, err := l.certificate(e)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, ref := range e.Decision.Texts {
		pack, err := l.textsIn(ref)
		if err != nil {
			return nil, fmt.Errorf("obligations: %w", err)
		}
		maps.Copy(texts, pack)
	}
	obs := make([]Obligation, len(c.Obligations))
	for i, s := range c.Obligations {
		o := Obligation{ID: s.ID, Property: s.Property, Subject: s.Subject, Logic: s.Logic}
		var has, guarded bool
		o.Text, has = texts[s.Text]
		o.Guard, guarded = texts[s.Guard]
		if !has || !guarded && s.Guard != "" {
			return nil, fmt.Errorf("obligation %s: its text is not recorded", s.ID)
		}
		obs[i] = o
	}
	return obs, nil
}

// certificate returns a decision's certificate.
func (l *Log) certificate(e Entry) (*certificate, error) {
	if e.Decision == nil || e.Decision.Certificate == nil {
		return nil, fmt.Errorf("entry %d has no certificate", e.Index)
	}
	var c certificate
	err := l.with(*e.Decision.Certificate, func(b []byte) error { return json.Unmarshal(b, &c) }) // a name twice is an error
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return &c, nil
}

// Encoder returns the version of what built a decision's obligations.
func (l *Log) Encoder(e Entry) (string, error) {
	c, err := l.certificate(e)
	if err != nil {
		return "", err
	}
	return c.Encoder, nil
}

// texts checks that all texts that the certificate states are recorded.
func (c *certificate) texts(has []map[string]bool) error {
	recorded := func(d string) bool {
		return slices.ContainsFunc(has, func(pack map[string]bool) bool { return pack[d] })
	}
	for _, s := range c.Obligations {
		if !recorded(s.Text) || s.Guard != "" && !recorded(s.Guard) {
			return fmt.Errorf("obligation %s: its text is not recorded", s.ID)
		}
	}
	return nil
}

// amounts recomputes the verdict from the results.
func (c *certificate) amounts(verdict string) error {
	type by struct{ id, solver string }
	verdicts := make(map[by]int, len(c.Results)) // indexes
	for i, r := range c.Results {
		k := by{r.Obligation, r.Solver}
		if _, twice := verdicts[k]; twice {
			return fmt.Errorf("two results of %s on obligation %s", r.Solver, r.Obligation)
		}
		verdicts[k] = i
	}
	allProved := len(c.Obligations) > 0 && len(c.Required) > 0
	ids := make(map[string]bool, len(c.Obligations))
	for _, s := range c.Obligations {
		if ids[s.ID] {
			return fmt.Errorf("obligation %s is stated twice", s.ID)
		}
		ids[s.ID] = true
		for _, solver := range c.Required {
			i, ok := verdicts[by{s.ID, solver}]
			allProved = allProved && ok && c.Results[i].Verdict == "proved" && c.Results[i].Text == s.Text && c.Results[i].GuardText == s.Guard
		}
	}
	if allProved != (verdict == "proved") {
		return fmt.Errorf("the entry says %q, the results do not", verdict)
	}
	return nil
}

func sortedNames(m map[string]Blob) []string { return slices.Sorted(maps.Keys(m)) }
