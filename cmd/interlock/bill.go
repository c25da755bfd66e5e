package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/policy/metering"
	"github.com/interlock/interlock/verify/ledger/check"
	logusage "github.com/interlock/interlock/verify/ledger/usage"
)

func newBill() *cobra.Command {
	var from, to, tenant string
	c := &cobra.Command{
		Use:     "bill LEDGER",
		GroupID: "audit",
		Short:   "Compute what tenants owe, from the log alone",
		Long: `Bill meters the register memory that each tenant held, slot by slot, and charges it by the policy in force, from nothing but the verification
log: a ledger's directory, or an export of one. Whoever has the log gets the same bill.

The interval is [--from, --to). Times are those that entries state; a change counts from the outcome that says it was carried out, so that a
decision that was refused or never carried out, or an eviction that is pending, changes nothing. A tenant owes the integral of the policy's
price of all that it holds, in credits an epoch (the site's allocation.epoch), on the terms that plans were made on: policy, parameters,
capacities and tenants are in the log. Arithmetic is exact; each invoice is rounded once, down, to a millionth of a credit, and its lines add
up to it. A policy without a price, or in Shadow mode, charges nothing. Where the log does not say what was held, nothing is charged, and
the bill lists the gap. Beyond the log's last entry the last state is taken to last: the bill is provisional.

From an export for a tenant it is the same bill, unless the policy's price reads what is others' (their weights, budgets, bids): such terms are
left out there, and slot-seconds are listed without what they cost. What a failed plan left is unknown there until the next plan.

JSON and YAML have the exact amounts as fractions, too. CSV has lines of three kinds: usage (slot-seconds of a resource), charge (of all
usage on the same terms), total.`,
		Example: `  interlock bill my-site/ledger --from 2026-11-01 --to 2026-12-01
  interlock bill my-site/ledger --tenant kv -o csv
  interlock bill export.zip --key key.pub --from 2026-11-01T08:00:00Z --to 2026-11-01T09:00:00Z -o json`,
		Args: cobra.ExactArgs(1),
	}
	read := ledgerFlags(c)
	format := &csvFormat{"table"}
	c.Flags().VarP(format, "output", "o", "output format: table, csv, json or yaml")
	c.Flags().StringVar(&from, "from", "", "begin: a date (UTC) or a time as in RFC 3339 (default: the first entry's)")
	c.Flags().StringVar(&to, "to", "", "end, which is not in the interval (default: the last entry's)")
	c.Flags().StringVar(&tenant, "tenant", "", "only this tenant's invoice")
	c.RunE = func(c *cobra.Command, args []string) error {
		l, err := read(args)
		if err != nil {
			return err
		}
		if len(l.Findings) > 0 {
			return refusedf("the log is not intact, so nothing is computed from it: %s", l.Findings[0])
		}
		u, err := logusage.Read(l)
		if err != nil {
			return inputf("%w", err)
		}
		begin, end := firstTime(l), u.Last
		for _, f := range []struct {
			name, text string
			to         *time.Time
		}{{"from", from, &begin}, {"to", to, &end}} {
			if f.text == "" {
				continue
			}
			if *f.to, err = parseTime(f.text); err != nil {
				return inputf("--%s %s: want a date such as 2026-11-01, or a time such as 2026-11-01T08:00:00Z", f.name, f.text)
			}
		}
		b, err := bill(c.Context(), u, begin, end)
		if err != nil {
			return inputf("%w", err)
		}
		data := billDataOf(l, u, b, tenant)
		if tenant != "" && len(data.Invoices) == 0 {
			return inputf("tenant %s held nothing then", tenant)
		}
		if format.format == "csv" {
			return data.writeCSV(c.OutOrStdout())
		}
		return format.print(c.OutOrStdout(), data, data.print)
	}
	return c
}

// csvFormat is a format that may be CSV, too.
type csvFormat struct{ format }

func (f *csvFormat) Set(s string) error {
	if s == "csv" {
		f.format = "csv"
		return nil
	}
	if f.format.Set(s) != nil {
		return errors.New("want table, csv, json or yaml")
	}
	return nil
}

func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UTC(), err
}

// firstTime is what the first entry states.
func firstTime(l *check.Log) time.Time {
	for _, e := range l.Entries {
		switch {
		case e.Decision != nil:
			return e.Decision.At
		case e.Outcome != nil:
			return e.Outcome.At
		case e.KeyChange != nil:
			return e.KeyChange.At
		}
	}
	return time.Time{}
}

// bill computes the bill for [from, to) from what a log says.
func bill(ctx context.Context, u *logusage.Usage, from, to time.Time) (*metering.Bill, error) {
	r := &metering.Record{}
	for _, s := range u.Spans {
		x := metering.Span{Switch: s.Switch, From: s.From, To: s.To, Unknown: s.Unknown}
		if s.To.IsZero() {
			x.To = later(to, s.From)
		}
		for _, h := range s.Held {
			x.Held = append(x.Held, metering.Holding(h))
		}
		r.Spans = append(r.Spans, x)
	}
	for _, t := range u.Terms {
		var p *metering.Prices
		if t.Text != nil { // else an export leaves them out
			var err error
			if p, err = metering.Price(t.Text); err != nil {
				return nil, fmt.Errorf("entry %d: %w", t.Entry, err)
			}
		}
		r.InForce = append(r.InForce, metering.InForce{From: t.From, Entry: t.Entry, Digest: t.Digest, Prices: p})
	}
	return metering.Compute(ctx, r, from, to)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// billData is a bill as it is printed.
type billData struct {
	Log         string        `json:"log"` // origin
	Size        int64         `json:"size"`
	Root        string        `json:"root"`
	From        time.Time     `json:"from"`
	To          time.Time     `json:"to"`
	Provisional bool          `json:"provisional"` // --to is after the last entry
	Invoices    []invoiceData `json:"invoices"`
	Gaps        []gapData     `json:"gaps"`
}

type invoiceData struct {
	Tenant  string     `json:"tenant"`
	Lines   []lineData `json:"lines"`
	Credits string     `json:"credits"`
	Exact   string     `json:"exact"` // credits, as a fraction
	// Incomplete says that Credits and Exact are without lines that have none.
	Incomplete bool `json:"incomplete,omitempty"`
}

// total is what the tenant owes, or empty if that is not known.
func (d invoiceData) total() string {
	if d.Incomplete {
		return ""
	}
	return d.Credits
}

type lineData struct {
	Policy  string     `json:"policy"`
	Terms   string     `json:"terms"` // digest
	Entry   int64      `json:"entry"` // that the terms are in first
	Usage   []usedData `json:"usage"`
	Credits string     `json:"credits,omitempty"` // none if the terms are left out: then it is not known what the usage costs
	Exact   string     `json:"exact,omitempty"`
}

type usedData struct {
	Resource    string `json:"resource"`
	SlotSeconds string `json:"slotSeconds"`
}

type gapData struct {
	Switch string    `json:"switch"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Why    string    `json:"why"`
}

func billDataOf(l *check.Log, u *logusage.Usage, b *metering.Bill, tenant string) *billData {
	d := &billData{
		Log: l.Origin, Size: l.Size, Root: l.Root, From: b.From, To: b.To, Provisional: b.To.After(u.Last),
		Invoices: []invoiceData{}, Gaps: []gapData{},
	}
	for _, inv := range b.Invoices {
		if tenant != "" && inv.Tenant != tenant {
			continue
		}
		x := invoiceData{Tenant: inv.Tenant, Credits: decimal(inv.Units, 6), Exact: inv.Exact.RatString()}
		for _, line := range inv.Lines {
			y := lineData{Policy: "left out", Terms: line.Terms.Digest, Entry: line.Terms.Entry, Usage: []usedData{}}
			if line.Unpriced {
				x.Incomplete = true
			} else {
				y.Policy, y.Credits, y.Exact = line.Terms.Prices.Name(), decimal(line.Units, 6), line.Exact.RatString()
			}
			for _, used := range line.Usage {
				y.Usage = append(y.Usage, usedData{used.Resource, decimal(used.SlotNanos, 9)})
			}
			x.Lines = append(x.Lines, y)
		}
		d.Invoices = append(d.Invoices, x)
	}
	for _, g := range b.Gaps {
		d.Gaps = append(d.Gaps, gapData(g))
	}
	return d
}

// decimal is n divided by a power of ten, exactly.
func decimal(n *big.Int, digits int) string {
	return new(big.Rat).SetFrac(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)).FloatString(digits)
}

// print prints the bill as a table.
func (d *billData) print(out io.Writer) {
	note := ""
	if d.Provisional {
		note = ", provisional: the log ends before that"
	}
	fmt.Fprintf(out, "%s, from %s to %s%s\n\n", d.Log, d.From.Format(time.RFC3339Nano), d.To.Format(time.RFC3339Nano), note)
	t := newTable(out, "tenant", "policy", "since entry", "resource", "slot-seconds", "credits")
	for _, inv := range d.Invoices {
		for _, line := range inv.Lines {
			for _, used := range line.Usage {
				t.AppendRow([]any{inv.Tenant, line.Policy, line.Entry, used.Resource, used.SlotSeconds, ""})
			}
			t.AppendRow([]any{inv.Tenant, line.Policy, line.Entry, "charge", "", cmp.Or(line.Credits, "?")})
		}
		t.AppendRow([]any{inv.Tenant, "", "", "total", "", cmp.Or(inv.total(), "?")})
	}
	if len(d.Invoices) > 0 {
		t.Render()
	} else {
		fmt.Fprintln(out, "nobody held anything")
	}
	for _, g := range d.Gaps {
		fmt.Fprintf(out, "not charged: switch %s from %s to %s: %s\n", g.Switch, g.From.Format(time.RFC3339Nano), g.To.Format(time.RFC3339Nano), g.Why)
	}
}

func (d *billData) writeCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	rows := [][]string{{"tenant", "kind", "policy", "terms_entry", "resource", "slot_seconds", "credits"}}
	for _, inv := range d.Invoices {
		for _, line := range inv.Lines {
			entry := fmt.Sprint(line.Entry)
			for _, used := range line.Usage {
				rows = append(rows, []string{inv.Tenant, "usage", line.Policy, entry, used.Resource, used.SlotSeconds, ""})
			}
			rows = append(rows, []string{inv.Tenant, "charge", line.Policy, entry, "", "", line.Credits})
		}
		rows = append(rows, []string{inv.Tenant, "total", "", "", "", "", inv.total()})
	}
	return w.WriteAll(rows)
}
