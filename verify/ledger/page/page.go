// Package page draws one decision of a log as an HTML page that needs nothing else: what was asked, what was proved, the memory map before
// and after, the formulas, and where in the log it stands. It only draws: what it is given has been checked.
package page

import (
	"fmt"
	"html/template"
	"io"
	"strings"
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

	Asked []Step
	// Refuted are counterexamples, line by line; the first line is a sentence.
	Refuted    [][]string
	Properties []Property
	Solvers    []string // one line each
	Maps       []Map
	NoMaps     string // why there are none
	Outcomes   []string
	NoOutcomes string // why there are none
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
	obligations := 0
	for _, p := range d.Properties {
		obligations += p.Obligations
	}
	return layout().Execute(w, struct {
		*Data
		Obligations int
		Pictures    []template.HTML
		Legend      []swatch
		Changes     []Change
	}{d, obligations, pictures, legend(d.Maps, colours), Changes(d.Maps)})
}

func layout() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"inc":   func(i int) int { return i + 1 },
		"when":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"class": class,
		"first": func(lines []string) string { return lines[0] },
		"rest": func(lines []string) string {
			var list []string
			for _, line := range lines[1:] {
				list = append(list, strings.TrimSpace(line))
			}
			return strings.Join(list, "\n")
		},
		"fill":  func(s swatch) template.CSS { return template.CSS(s.Fill) }, //nolint:gosec // constants of this package
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
  :root { color-scheme: light dark; --paper: #fff; --ink: #222b33; --quiet: #5c6770; --line: #d9dee3; --free: #eef1f4; --code: #f4f6f8;
    --good: #00664b; --bad: #a33b00; --open: #6b4e00; }
  @media (prefers-color-scheme: dark) { :root { --paper: #14191e; --ink: #dde3e8; --quiet: #98a4ae; --line: #333d46; --free: #2a333b; --code: #1d242b;
    --good: #4cc9a0; --bad: #ff8a5c; --open: #e3bd5a; } }
  body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 62rem; padding: 0 1rem;
    overflow-wrap: anywhere; }
  h1 { font-size: 1.5rem; line-height: 1.25; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2.2rem; }
  table { border-collapse: collapse; overflow-wrap: normal; } td, th { padding: .25rem 1rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
  td.n, th.n { text-align: right; } td.s { white-space: nowrap; } td.w { min-width: 12rem; }
  .good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); } b.good, b.bad, b.open { font-size: 1.1rem; }
  .scroll { overflow-x: auto; } svg { width: 100%; min-width: 36rem; height: auto; display: block; } code, pre { font: 12px/1.45 ui-monospace, monospace; }
  pre { background: var(--code); padding: .7rem; overflow-x: auto; margin: .3rem 0; } pre.run { white-space: pre-wrap; font: inherit; border-left: 3px solid var(--bad); }
  .key span { display: inline-block; margin-right: 1.2rem; } .key i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; vertical-align: -1px; }
  details { border-bottom: 1px solid var(--line); padding: .2rem 0; } summary { cursor: pointer; } .quiet { color: var(--quiet); }
  ol.steps > li { margin-bottom: .4rem; } ul.plain { list-style: none; padding: 0; margin: 0; }
  @media print { details:not([open]) { display: none; } }
</style>
<h1>{{.Title}}</h1>
<p><b class="{{class .Verdict}}">{{.Verdict}}</b>{{if .Reason}}: {{.Reason}}{{end}}<br>
<span class="quiet">{{if .Obligations}}{{.Obligations}} obligations, each decided by {{range $i, $s := .Solvers}}{{if $i}} and {{end}}{{$s}}{{end}}<br>
{{end}}Entry {{.Entry}} of {{.Log.Origin}}: asked to {{.Action}} by {{.Who}}, {{when .At}}</span></p>
{{if .Refuted}}
<h2>How it goes wrong</h2>
{{range .Refuted}}<p><b>{{first .}}</b></p>{{with rest .}}<pre class="run">{{.}}</pre>{{end}}
{{end}}{{end}}
<h2>What was asked</h2>
{{if .Asked}}<ol class="steps">{{range .Asked}}<li value="{{.Number}}"><ul class="plain">{{range .Does}}<li>{{.}}</li>{{end}}{{if .More}}<li class="quiet">and {{.More}} more</li>{{end}}</ul>{{if .Note}}<span class="quiet">{{.Note}}</span>{{end}}</li>
{{end}}</ol>{{else}}<p class="quiet">What was asked is not in this log.</p>{{end}}

<h2>The memory map, before and after</h2>
{{if .Pictures}}<p class="key">{{range .Legend}}<span><i style="background:{{fill .}}"></i>{{.Name}}</span>{{end}}</p>
<div class="scroll">{{range .Pictures}}<div>{{.}}</div>
{{end}}</div>
<div class="scroll"><table><tr><th>stage</th><th>tenant</th><th>slots before</th><th>slots after</th><th>what becomes of the content</th></tr>
{{range .Changes}}<tr><td class="s">{{.Stage}}</td><td class="s">{{.Tenant}}</td><td class="s">{{.Before}}</td><td class="s">{{.After}}</td><td class="w">{{.What}}</td></tr>
{{end}}</table></div>{{else}}<p class="quiet">{{.NoMaps}}</p>{{end}}

<h2>What was proved</h2>
{{if .Properties}}<div class="scroll"><table><tr><th>property</th><th>what</th><th class="n">obligations</th><th>verdict</th>{{range .Solvers}}<th>{{.}}</th>{{end}}</tr>
{{range .Properties}}<tr><td>{{.ID}}</td><td class="w">{{.What}}</td><td class="n">{{.Obligations}}</td><td class="{{class .Verdict}}">{{.Verdict}}</td>{{range .Times}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table></div>{{else}}<p class="quiet">{{.NoFormulas}}</p>{{end}}

<h2>What became of it</h2>
{{if .Outcomes}}<ul>{{range .Outcomes}}<li>{{.}}</li>{{end}}</ul>{{else}}<p class="quiet">{{.NoOutcomes}}</p>{{end}}

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
