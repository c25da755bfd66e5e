package report

import (
	"bytes"
	"fmt"
	"html/template"
	"os"
	"slices"
	"time"
)

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; color: #222b33; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  table { border-collapse: collapse; } td, th { padding: .25rem 1rem .25rem 0; text-align: right; border-bottom: 1px solid #d9dee3; }
  td:first-child, th:first-child { text-align: left; }
  img { width: 100%; height: auto; }
</style>
<h1>{{.Title}}</h1>
<table>
  <tr><th>tenant</th><th>target</th><th>mean utility</th><th>satisfied epochs</th><th>epochs with traffic</th>{{if .Balances}}<th>credits at the end</th>{{end}}</tr>
  {{range .Rows}}<tr><td>{{.Name}}</td><td>{{.Target}}</td><td>{{.Mean}}</td><td>{{.Satisfied}}</td><td>{{.Active}}</td>{{if $.Balances}}<td>{{.Balance}}</td>{{end}}</tr>
  {{end}}
</table>
<p>{{.Reallocations}} of {{.Epochs}} epochs changed extents; median of a reallocation {{.Median}}, longest {{.Longest}}.</p>
<h2>Memory</h2><img src="slots.svg" alt="map of who owned which slots over time">
<h2>Utility</h2><img src="utility.svg" alt="each tenant's utility over time, and its target">
<h2>Time</h2><img src="time.svg" alt="parts of the time of each reallocation">
</html>
`))

type row struct{ Name, Target, Mean, Satisfied, Active, Balance string }

func writePage(path string, run *Run) error {
	data := struct {
		Title                 string
		Rows                  []row
		Epochs, Reallocations int
		Median, Longest       time.Duration
		Balances              bool
	}{Title: run.Title, Epochs: len(run.Epochs)}
	for _, t := range run.Tenants {
		sum, active, satisfied := 0.0, 0, 0
		for _, e := range run.Epochs {
			if u, ok := e.Utility[t.Name]; ok {
				sum += u
				active++
				if u >= t.Target {
					satisfied++
				}
			}
		}
		r := row{t.Name, fmt.Sprintf("%.2f", t.Target), "-", "-", fmt.Sprint(active), t.Balance}
		data.Balances = data.Balances || t.Balance != ""
		if active > 0 {
			r.Mean = fmt.Sprintf("%.3f", sum/float64(active))
			r.Satisfied = fmt.Sprintf("%d (%.0f %%)", satisfied, 100*float64(satisfied)/float64(active))
		}
		data.Rows = append(data.Rows, r)
	}
	times := Totals(run)
	data.Reallocations = len(times)
	if n := len(times); n > 0 {
		data.Median, data.Longest = times[n/2].Round(10*time.Microsecond), times[n-1].Round(10*time.Microsecond)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, data); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// Totals are the times of the reallocations, shortest first.
func Totals(run *Run) []time.Duration {
	var times []time.Duration
	for _, e := range run.Epochs {
		var sum time.Duration
		for _, p := range e.Parts {
			sum += p.Time
		}
		if sum > 0 {
			times = append(times, sum)
		}
	}
	slices.Sort(times)
	return times
}
