package plan

import (
	"bufio"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan/model"
	"github.com/interlock/interlock/verify/smt"
)

type z3 struct {
	in    io.WriteCloser
	out   *bufio.Reader
	cache map[string]string
	n     int
}

func startZ3(t testing.TB) *z3 {
	cmd := exec.Command("z3", "-in")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	return &z3{in: in, out: bufio.NewReader(out), cache: map[string]string{}}
}

func (z *z3) sat(t testing.TB, text string) string {
	if a, ok := z.cache[text]; ok {
		return a
	}
	z.n++
	body := text[strings.Index(text, "\n")+1:]
	if _, err := io.WriteString(z.in, "(push)\n"+body+"\n(pop)\n"); err != nil {
		t.Fatal(err)
	}
	line, err := z.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	a := strings.TrimSpace(line)
	if a != "sat" && a != "unsat" {
		t.Fatalf("z3 says %q of\n%s", a, text)
	}
	z.cache[text] = a
	return a
}

func (z *z3) refuted(t testing.TB, os []verify.Obligation) []verify.Obligation {
	var bad []verify.Obligation
	for _, o := range os {
		if g := z.sat(t, o.Guard); g != "sat" {
			t.Errorf("%s: guard is %s\n%s", o.ID, g, o.Guard)
		}
		if z.sat(t, o.Text) == "sat" {
			bad = append(bad, o)
		}
	}
	return bad
}

var smallArrays = map[model.Array]int64{
	{Control: specs.Ingress, Stage: 0}: 16, {Control: specs.Ingress, Stage: 1}: 9, {Control: specs.Egress, Stage: 0}: 12,
}

func TestGood(t *testing.T) {
	z := startZ3(t)
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := randomSite(r, smallArrays, []model.VID{3, 70, 4094, 12}).recipe(r)
		d, err := decodeTest(t, input(p), p.Slots)
		if err != nil {
			t.Fatal(seed, err)
		}
		for _, o := range z.refuted(t, d.obligations()) {
			t.Errorf("seed %d: %s: %s\n%s", seed, o.ID, o.Subject, o.Text)
		}
		for range 10 {
			if _, vs := model.Explore(p, r); len(vs) > 0 {
				t.Errorf("seed %d: %v", seed, vs)
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Log(z.n, len(z.cache))
}

func TestMutants(t *testing.T) {
	z := startZ3(t)
	tally := map[string][4]int{}
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 2))
		m := mutations[int(seed)%len(mutations)]
		p := clonePlan(randomSite(r, smallArrays, []model.VID{3, 70, 4094, 12}).recipe(r))
		if !m.do(r, p) {
			continue
		}
		x := tally[m.name]
		d, err := decodeTest(t, input(p), p.Slots)
		if err != nil {
			x[3]++
			tally[m.name] = x
			continue
		}
		bad := z.refuted(t, d.obligations())
		broken := map[string]bool{}
		var first model.Violation
		for i := 0; i < 40 && len(broken) == 0; i++ {
			_, vs := model.Explore(p, r)
			for _, v := range vs {
				if len(broken) == 0 {
					first = v
				}
				broken[v.Property] = true
			}
		}
		refuted := map[string]bool{}
		for _, o := range bad {
			if !refuted[o.Property] {
				c := d.explain(o, smt.Model{})
				if !c.Replayed && !strings.Contains(c.What, "M3") {
					t.Errorf("seed %d: %s: %s", seed, m.name, c)
				}
				if seed < 150 {
					t.Log(m.name, o.ID, "\n", c)
				}
			}
			refuted[o.Property] = true
		}
		switch {
		case len(bad) > 0 && len(broken) > 0:
			x[0]++
			for p := range broken {
				if !refuted[p] {
					t.Logf("seed %d: %s: model breaks %v, refuted %v: %v", seed, m.name, broken, refuted, first)
				}
			}
		case len(bad) == 0 && len(broken) == 0:
			x[1]++
		case len(broken) > 0:
			t.Errorf("seed %d: %s: proved, but the model breaks %v: %v", seed, m.name, broken, first)
		default:
			x[2]++
			t.Errorf("seed %d: %s: refuted %s, but the model holds", seed, m.name, bad[0].ID)
		}
		tally[m.name] = x
	}
	for n, x := range tally {
		t.Log(n, x)
	}
}
