package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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

// Obligations returns a decision's recorded obligations.
func (l *Log) Obligations(e Entry) ([]Obligation, error) {
	if e.Decision == nil || e.Decision.Obligations == nil {
		return nil, fmt.Errorf("entry %d has no obligations", e.Index)
	}
	b, err := l.Blob(*e.Decision.Obligations)
	if err != nil {
		return nil, fmt.Errorf("obligations: %w", err)
	}
	var obs []Obligation
	if err := json.Unmarshal(b, &obs); err != nil {
		return nil, fmt.Errorf("obligations: %w", err)
	}
	return obs, nil
}

// certificate returns a decision's certificate.
func (l *Log) certificate(e Entry) (*certificate, error) {
	if e.Decision == nil || e.Decision.Certificate == nil {
		return nil, fmt.Errorf("entry %d has no certificate", e.Index)
	}
	b, err := l.Blob(*e.Decision.Certificate)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	var c certificate
	if err := json.Unmarshal(b, &c); err != nil {
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

// states checks that the recorded obligations are those of the certificate.
func (c *certificate) states(obs []Obligation) error {
	if len(obs) != len(c.Obligations) {
		return fmt.Errorf("%d obligations are recorded, the certificate states %d", len(obs), len(c.Obligations))
	}
	for i, o := range obs {
		s := c.Obligations[i]
		guard := ""
		if o.Guard != "" {
			guard = digest([]byte(o.Guard))
		}
		if o.ID != s.ID || o.Property != s.Property || o.Subject != s.Subject || o.Logic != s.Logic ||
			digest([]byte(o.Text)) != s.Text || guard != s.Guard {
			return fmt.Errorf("obligation %s is not the one that the certificate states", o.ID)
		}
	}
	return nil
}

// amounts recomputes the verdict from the results.
func (c *certificate) amounts(verdict string) error {
	type by struct{ id, solver string }
	verdicts := map[by]string{}
	for _, r := range c.Results {
		if _, twice := verdicts[by{r.Obligation, r.Solver}]; twice {
			return fmt.Errorf("two results of %s on obligation %s", r.Solver, r.Obligation)
		}
		verdicts[by{r.Obligation, r.Solver}] = r.Verdict + " " + r.Text + " " + r.GuardText
	}
	allProved := len(c.Obligations) > 0 && len(c.Required) > 0
	ids := map[string]bool{}
	for _, s := range c.Obligations {
		if ids[s.ID] {
			return fmt.Errorf("obligation %s is stated twice", s.ID)
		}
		ids[s.ID] = true
		for _, solver := range c.Required {
			allProved = allProved && verdicts[by{s.ID, solver}] == "proved "+s.Text+" "+s.Guard
		}
	}
	if allProved != (verdict == "proved") {
		return fmt.Errorf("the entry says %q, the results do not", verdict)
	}
	return nil
}

func sortedNames(m map[string]Blob) []string { return slices.Sorted(maps.Keys(m)) }
