// Package page draws one decision of a log as an HTML page that needs nothing else: what was asked, what was proved, the memory map before
// and after, the formulas, and where in the log it stands. It only draws: what it is given has been checked.
package page

import (
	"fmt"
	"html/template"
	"io"
	"time"
)

// Data of a page. Texts may say anything; they are shown as texts.
type Data struct {
	Title   string // "plan of 4 steps for switch s1"
	Verdict string
	Reason  string
	Entry   int64
	Action  string
	Who     string
	At      time.Time

	Asked      []Step
	Properties []Property
	Solvers    []string // one line each
	Maps       []Map
	NoMaps     string // why there are none
	Outcomes   []string
	Formulas   []Formula
	NoFormulas string // why there are none
	Inputs     []Input
	Log        Log
}

// Step of what was asked, in words.
type Step struct {
	Number int
	Does   []string
	More   int // lines that are not in Does
	Note   string
}

// Property and what became of it.
type Property struct {
	ID, What, Verdict string
	Obligations       int
	Times             []string // by solver
}

// Formula is an obligation: its text must be unsatisfiable, its guard satisfiable.
type Formula struct{ ID, Property, Subject, Logic, Text, Guard, Verdicts string }

// Input that the formulas were built of.
type Input struct {
	Name, Digest string
	Size         int64
}

// Log that the decision is in.
type Log struct {
	Origin, Root, Leaf, Key string
	Size                    int64
	Checkpoint              string
}

// Write draws the page.
func Write(w io.Writer, d *Data) error {
	pictures := make([]template.HTML, len(d.Maps))
	colours := colour(d.Maps)
	for i, m := range d.Maps {
		pictures[i] = template.HTML(m.svg(colours)) //nolint:gosec // svg escapes every text
	}
	return layout().Execute(w, struct {
		*Data
		Pictures []template.HTML
		Legend   []swatch
		Changes  []Change
	}{d, pictures, legend(d.Maps, colours), Changes(d.Maps)})
}

func layout() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"inc":   func(i int) int { return i + 1 },
		"when":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"class": class,
		"bytes": func(n int64) string { return fmt.Sprintf("%d bytes", n) },
	}).Parse(text))
}

// class colours a verdict. Only what is proved is green.
func class(verdict string) string {
	switch verdict {
	case "proved", "lemma":
		return "good"
	case "refuted":
		return "bad"
	}
	return "open"
}

const text = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Entry {{.Entry}}: {{.Title}}</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; color: #222b33; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
  h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2.2rem; }
  table { border-collapse: collapse; } td, th { padding: .25rem 1rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #d9dee3; }
  td.n, th.n { text-align: right; }
  .good { color: #00664b; } .bad { color: #a33b00; } .open { color: #6b4e00; } b.good, b.bad, b.open { font-size: 1.1rem; }
  .scroll { overflow-x: auto; } svg { width: 100%; height: auto; display: block; } code, pre { font: 12px/1.45 ui-monospace, monospace; }
  pre { background: #f4f6f8; padding: .7rem; overflow-x: auto; margin: .3rem 0; } code { overflow-wrap: anywhere; }
  .key span { display: inline-block; margin-right: 1.2rem; } .key i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; vertical-align: -1px; }
  details { border-bottom: 1px solid #d9dee3; padding: .2rem 0; } summary { cursor: pointer; } .quiet { color: #5c6770; }
  ol.steps > li { margin-bottom: .4rem; } ul.plain { list-style: none; padding: 0; margin: 0; }
</style>
<h1>{{.Title}}</h1>
<p><b class="{{class .Verdict}}">{{.Verdict}}</b>{{if .Reason}}: {{.Reason}}{{end}}<br>
<span class="quiet">Entry {{.Entry}} of {{.Log.Origin}}: asked to {{.Action}} by {{.Who}}, {{when .At}}</span></p>

<h2>What was asked</h2>
{{if .Asked}}<ol class="steps">{{range .Asked}}<li value="{{.Number}}"><ul class="plain">{{range .Does}}<li>{{.}}</li>{{end}}{{if .More}}<li class="quiet">and {{.More}} more</li>{{end}}</ul>{{if .Note}}<span class="quiet">{{.Note}}</span>{{end}}</li>
{{end}}</ol>{{else}}<p class="quiet">What was asked is not in this log.</p>{{end}}

<h2>The memory map, before and after</h2>
{{if .Pictures}}<p class="key">{{range .Legend}}<span><i style="background:{{.Fill}}"></i>{{.Name}}</span>{{end}}</p>
{{range .Pictures}}<div>{{.}}</div>
{{end}}<div class="scroll"><table><tr><th>stage</th><th>tenant</th><th>slots before</th><th>slots after</th><th>what becomes of the content</th></tr>
{{range .Changes}}<tr><td>{{.Stage}}</td><td>{{.Tenant}}</td><td>{{.Before}}</td><td>{{.After}}</td><td>{{.What}}</td></tr>
{{end}}</table></div>{{else}}<p class="quiet">{{.NoMaps}}</p>{{end}}

<h2>What was proved</h2>
{{if .Properties}}<div class="scroll"><table><tr><th>property</th><th>what</th><th class="n">obligations</th><th>verdict</th>{{range .Solvers}}<th>{{.}}</th>{{end}}</tr>
{{range .Properties}}<tr><td>{{.ID}}</td><td>{{.What}}</td><td class="n">{{.Obligations}}</td><td class="{{class .Verdict}}">{{.Verdict}}</td>{{range .Times}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table></div>{{else}}<p class="quiet">{{.NoFormulas}}</p>{{end}}

<h2>What became of it</h2>
{{if .Outcomes}}<ul>{{range .Outcomes}}<li>{{.}}</li>{{end}}</ul>{{else}}<p class="quiet">It was not carried out.</p>{{end}}

<h2>Where it stands in the log</h2>
<div class="scroll"><table>
<tr><td>leaf</td><td><code>{{.Log.Leaf}}</code></td></tr>
<tr><td>log</td><td>{{.Log.Origin}}, {{.Log.Size}} entries, root <code>{{.Log.Root}}</code></td></tr>
<tr><td>signed by</td><td><code>{{.Log.Key}}</code></td></tr>
{{range .Inputs}}<tr><td>{{.Name}}</td><td>{{bytes .Size}}, <code>{{.Digest}}</code></td></tr>
{{end}}</table></div>
<details><summary>The signed checkpoint</summary><pre>{{.Log.Checkpoint}}</pre></details>

<h2>The formulas</h2>
{{if .Formulas}}<p>Each text must be unsatisfiable, and its guard, the situation that it speaks of, satisfiable. Any SMT solver can be asked.</p>
{{range .Formulas}}<details><summary>{{.ID}} <span class="quiet">{{.Subject}}: {{.Verdicts}}</span></summary><pre>{{.Text}}</pre>{{if .Guard}}<p class="quiet">Guard:</p><pre>{{.Guard}}</pre>{{end}}</details>
{{end}}{{else}}<p class="quiet">{{.NoFormulas}}</p>{{end}}
</html>
`
