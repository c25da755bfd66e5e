package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/interlock/interlock/alloc"
)

func newDemo() *cobra.Command {
	var sitePath, out string
	var epochs int
	c := &cobra.Command{
		Use:     "demo",
		GroupID: "tools",
		Short:   "Show the main job, end to end, with separate processes and real connections",
		Long: `Demo starts the embedded switch, links the quickstart site, proves and installs it, runs the control loop under traffic,
shows every kind of refusal, and audits the log with two other solvers. It uses the commands of this program, and prints
each before it runs it.`,
		Example: "  interlock demo -o demo-out",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringVarP(&sitePath, "site", "s", "testdata/sites/quickstart/site.yaml", "site to show")
	c.Flags().StringVarP(&out, "output", "o", "demo-out", "folder for everything that the demo writes; emptied first")
	c.Flags().IntVar(&epochs, "epochs", 24, "epochs of the control loop")
	c.RunE = func(c *cobra.Command, _ []string) error {
		d, err := newDemonstration(c.OutOrStdout(), sitePath, out)
		if err != nil {
			return err
		}
		defer d.stop()
		return d.show(c.Context(), epochs)
	}
	return c
}

// demonstration runs commands of this binary and checks their exit codes.
type demonstration struct {
	w       io.Writer
	self    string
	site    string
	dir     string
	bold    func(string) string
	begun   time.Time
	server  *exec.Cmd // the switch
	address string    // where it listens
	rows    [][2]string
}

// defaultSwitch is where the sites of the demo have their switch.
const defaultSwitch = "127.0.0.1:9559"

// demoMark is a file that only the demo makes: a folder without it is not emptied.
const demoMark = ".interlock-demo"

func newDemonstration(w io.Writer, site, dir string) (*demonstration, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, exitWith(exitEnvironment, err)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, demoMark)); err != nil {
			return nil, inputf("%s is not empty, and no demo made it", dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return nil, exitWith(exitEnvironment, err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "traffic"), 0o755); err != nil {
		return nil, exitWith(exitEnvironment, err)
	}
	if err := os.WriteFile(filepath.Join(dir, demoMark), nil, 0o644); err != nil {
		return nil, exitWith(exitEnvironment, err)
	}
	bold := func(s string) string { return s }
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		bold = func(s string) string { return "\x1b[1m" + s + "\x1b[0m" }
	}
	return &demonstration{w: w, self: self, site: site, dir: dir, bold: bold, begun: time.Now()}, nil
}

// path is a file of the demo's.
func (d *demonstration) path(elem ...string) string {
	return filepath.Join(append([]string{d.dir}, elem...)...)
}

func (d *demonstration) title(format string, args ...any) {
	fmt.Fprintf(d.w, "\n%s\n", d.bold(fmt.Sprintf("== %4.1fs  %s", time.Since(d.begun).Seconds(), fmt.Sprintf(format, args...))))
}

func (d *demonstration) say(format string, args ...any) { fmt.Fprintf(d.w, format+"\n", args...) }

// run runs interlock with args and wants the exit code.
func (d *demonstration) run(ctx context.Context, want int, args ...string) (string, error) {
	return d.exec(ctx, want, d.self, args...)
}

func (d *demonstration) exec(ctx context.Context, want int, name string, args ...string) (string, error) {
	shown := make([]string, len(args))
	for i, a := range args {
		shown[i] = a
		if strings.ContainsAny(a, " '|;\\") {
			shown[i] = "'" + a + "'"
		}
	}
	base := filepath.Base(name)
	fmt.Fprintf(d.w, "%s\n", d.bold("$ "+base+" "+strings.Join(shown, " ")))
	cmd := exec.CommandContext(ctx, name, args...)
	var text bytes.Buffer
	cmd.Stdout = io.MultiWriter(d.w, &text)
	cmd.Stderr = cmd.Stdout
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &exit):
		return "", exitWith(exitEnvironment, err)
	case ctx.Err() != nil:
		return "", exitWith(exitEnvironment, ctx.Err())
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		return "", environmentf("the demo expected exit code %d, not %d", want, got)
	}
	if want != exitDone {
		fmt.Fprintf(d.w, "%s\n", d.bold(fmt.Sprintf("-> exit %d: refused, and nothing was changed", want)))
	}
	return text.String(), nil
}

// note adds a row to the summary.
func (d *demonstration) note(what, result string) { d.rows = append(d.rows, [2]string{what, result}) }

// startSwitch runs the switch as its own process, its ports fed by files that the traffic generator makes later.
func (d *demonstration) startSwitch(ctx context.Context) (address string, err error) {
	address = defaultSwitch
	l, err := net.Listen("tcp", address)
	if err != nil { // busy: any other
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return "", exitWith(exitEnvironment, err)
		}
		address = l.Addr().String()
	}
	l.Close()
	args := []string{"switch", "--listen", address, "--recorded"}
	for port := 1; port <= 8; port++ {
		args = append(args, "--port", fmt.Sprintf("%d:follow:%s,%s", port, d.path("traffic", fmt.Sprintf("port%d.pcap", port)),
			d.path("traffic", fmt.Sprintf("out%d.pcap", port))))
	}
	fmt.Fprintf(d.w, "%s\n", d.bold("$ interlock "+strings.Join(args, " ")+" &"))
	log, err := os.Create(d.path("switch.log"))
	if err != nil {
		return "", exitWith(exitEnvironment, err)
	}
	defer log.Close()
	d.server = exec.CommandContext(ctx, d.self, args...)
	d.server.Stdout, d.server.Stderr = log, log
	if err := d.server.Start(); err != nil {
		return "", exitWith(exitEnvironment, err)
	}
	for range 200 {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			c.Close()
			return address, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return "", environmentf("the switch did not start; see %s", d.path("switch.log"))
}

// stop ends the switch and waits until it has written what its ports saw.
func (d *demonstration) stop() {
	if d.server == nil || d.server.Process == nil {
		return
	}
	_ = d.server.Process.Signal(syscall.SIGTERM)
	_ = d.server.Wait()
	d.server = nil
}

// show is the demo's story.
func (d *demonstration) show(ctx context.Context, epochs int) error {
	for _, part := range []func(context.Context) error{
		d.linkAndProve,
		func(ctx context.Context) error { return d.reallocate(ctx, epochs) },
		d.byHand, d.refusePlans, d.refuseStale, d.refusePrograms, d.addTenant, d.audit, d.summary,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *demonstration) linkAndProve(ctx context.Context) error {
	d.title("A switch, as its own process: P4Runtime over gRPC, ports as pcap files")
	address, err := d.startSwitch(ctx)
	if err != nil {
		return err
	}
	d.address = address
	d.title("Link three tenants' programs and the system program into one")
	if err := d.link(ctx, d.site, d.path("linked")); err != nil {
		return err
	}
	d.title("Prove the linked program, for all packets, tables and register contents, by two solvers")
	begun := time.Now()
	if _, err := d.run(ctx, exitDone, "prove", d.path("linked")); err != nil {
		return err
	}
	d.note("linked program proved by two solvers", time.Since(begun).Round(100*time.Millisecond).String())
	d.title("Install it, through the gate")
	_, err = d.run(ctx, exitDone, "install", d.path("linked"))
	return err
}

func (d *demonstration) link(ctx context.Context, site, dir string) error {
	args := []string{"link", "-s", site, "-o", dir, "--ledger", d.path("ledger")}
	if d.address != defaultSwitch {
		args = append(args, "--address", d.address)
	}
	_, err := d.run(ctx, exitDone, args...)
	return err
}

// epochLength of the demo's control loop.
const epochLength = 500 * time.Millisecond

func (d *demonstration) reallocate(ctx context.Context, epochs int) error {
	d.title("Reallocate register memory while traffic flows: every plan is proved before it is applied")
	duration := time.Duration(epochs)*epochLength + time.Second
	if _, err := d.run(ctx, exitDone, "traffic", d.path("linked"), "-o", d.path("traffic"), "--duration", duration.String(), "--rate", "1.6", "--seed", "7"); err != nil {
		return err
	}
	if _, err := d.run(ctx, exitDone, "run", d.path("linked"), "--epochs", fmt.Sprint(epochs), "--epoch", epochLength.String()); err != nil {
		return err
	}
	return d.noteReallocations()
}

// noteReallocations sums up what the control loop recorded.
func (d *demonstration) noteReallocations() error {
	f, err := os.Open(d.path("ledger", epochsFile))
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	defer f.Close()
	epochs, err := alloc.ReadRun(f)
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	var times []time.Duration
	for _, e := range epochs {
		if e.Plan != nil && e.Plan.Applied {
			times = append(times, e.Total)
		}
	}
	slices.Sort(times)
	text := fmt.Sprintf("%d in %d epochs, each proved by two solvers", len(times), len(epochs))
	if n := len(times); n > 0 {
		text += fmt.Sprintf("; median %v, log and scrubs included", ms(times[n/2]))
	}
	d.note("reallocations under traffic", text)
	return nil
}

func (d *demonstration) byHand(ctx context.Context) error {
	d.title("The same by hand: plan, show, apply, diff; and the kill switch")
	linked, plan := d.path("linked"), d.path("plan.json")
	for _, args := range [][]string{
		{"plan", linked, "--set", "kv=1024", "--set", "hh=1024", "-o", plan},
		{"apply", plan, "-d", linked},
		{"diff", linked},
		{"evict", "hh", "-d", linked},
		{"admit", "hh", "-d", linked},
		{"status", linked},
	} {
		if _, err := d.run(ctx, exitDone, args...); err != nil {
			return err
		}
	}
	return nil
}

func (d *demonstration) refusePlans(ctx context.Context) error {
	d.title("Refused: plans that are not safe, with what would happen")
	for _, name := range []string{"grant-twice", "grant-before-scrub", "scrub-before-fence"} {
		steps := filepath.Join(filepath.Dir(d.site), "..", "..", "plans", name+".yaml")
		if _, err := d.run(ctx, exitRefused, "plan", d.path("linked"), "--steps", steps, "-o", d.path(name+".json")); err != nil {
			return err
		}
		d.note("plan "+name, "refuted")
	}
	return nil
}

func (d *demonstration) refuseStale(ctx context.Context) error {
	linked := d.path("linked")
	d.title("Refused: a plan changed by one byte after it was proved, and one whose switch has changed")
	first, second := d.path("first.json"), d.path("second.json")
	if _, err := d.run(ctx, exitDone, "plan", linked, "--set", "kv=2048", "-o", first); err != nil {
		return err
	}
	changed := d.path("changed.json")
	b, err := os.ReadFile(first)
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	at := bytes.Index(b, []byte(`"bytes": "`)) + len(`"bytes": "`) + 20
	b[at] ^= 1
	if err := os.WriteFile(changed, b, 0o644); err != nil {
		return exitWith(exitEnvironment, err)
	}
	cert, err := os.ReadFile(certificatePath(first))
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	if err := os.WriteFile(certificatePath(changed), cert, 0o644); err != nil {
		return exitWith(exitEnvironment, err)
	}
	d.say("(one bit of byte %d of %s is flipped in %s)", at, first, changed)
	if _, err := d.run(ctx, exitRefused, "apply", changed, "-d", linked); err != nil {
		return err
	}
	d.note("plan changed by one byte", "refused")
	if _, err := d.run(ctx, exitDone, "plan", linked, "--set", "hh=512", "-o", second); err != nil {
		return err
	}
	if _, err := d.run(ctx, exitDone, "apply", second, "-d", linked); err != nil {
		return err
	}
	if _, err := d.run(ctx, exitRefused, "apply", first, "-d", linked); err != nil {
		return err
	}
	d.note("plan for a switch that changed since", "refused, what moved is listed")
	_, err = d.run(ctx, exitDone, "audit", "compare", "-d", linked)
	return err
}

// deeds are what a tenant may not do: as a tenant's program, and as a line put into linked.p4 by hand, before the tenant's code.
var deeds = []struct{ what, program, line, before, property string }{
	{"writes the tag", "tag", "hdr.il_vlan.vid = 200;", "il_ingress_kv.apply(", "P2"},
	{"recirculates", "recirculate", "recirculate_preserving_field_list(0);", "il_egress_kv.apply(", "P3"},
	{"reaches another's register", "register", "il_stage_ingress_0.write(12288, 1);", "il_ingress_kv.apply(", "P5"},
}

func (d *demonstration) refusePrograms(ctx context.Context) error {
	d.title("Refused by the linker: tenants that write the tag, recirculate, reach another's register")
	for _, x := range deeds {
		path := filepath.Join(filepath.Dir(filepath.Dir(d.site)), "refused", x.program+".yaml")
		if _, err := d.run(ctx, exitRefused, "link", "-s", path, "-o", d.path("linked-"+x.program)); err != nil {
			return err
		}
		d.note("tenant that "+x.what, "refused by the linker")
	}
	d.title("Refuted by the solvers: the same, put into linked.p4 by hand, behind the linker's back")
	for _, x := range deeds {
		dir := d.path("linked-" + x.program)
		if err := os.CopyFS(dir, os.DirFS(d.path("linked"))); err != nil {
			return exitWith(exitEnvironment, err)
		}
		if _, err := d.exec(ctx, exitDone, "sed", "-i", "/"+x.before+"/i "+x.line, filepath.Join(dir, linkedFile)); err != nil {
			return err
		}
		if _, err := d.run(ctx, exitRefused, "prove", dir, "--only", x.property); err != nil {
			return err
		}
		d.note("linked.p4 that "+x.what, "refuted")
	}
	_, err := d.run(ctx, exitDone, "audit", "compare", "-d", d.path("linked"))
	return err
}

// addTenant replaces the program of the switch, which carries three tenants, by one with a fourth.
func (d *demonstration) addTenant(ctx context.Context) error {
	d.title("A fourth tenant comes while the switch carries three: they keep their entries, counts and memory")
	linked, plan := d.path("linked-four"), d.path("four.json")
	if err := d.link(ctx, filepath.Join(filepath.Dir(d.site), "four.yaml"), linked); err != nil {
		return err
	}
	begun := time.Now()
	for _, args := range [][]string{{"prove", linked}, {"install", linked}} {
		if _, err := d.run(ctx, exitDone, args...); err != nil {
			return err
		}
	}
	d.note("fourth tenant on the running switch", "proved and installed in "+time.Since(begun).Round(100*time.Millisecond).String())
	for _, args := range [][]string{
		{"plan", linked, "--set", "syn=1024", "-o", plan},
		{"apply", plan, "-d", linked},
		{"status", linked},
		{"audit", "compare", "-d", linked},
	} {
		if _, err := d.run(ctx, exitDone, args...); err != nil {
			return err
		}
	}
	return nil
}

func (d *demonstration) audit(ctx context.Context) error {
	d.title("Audit: the log is intact, and every obligation is built again and decided by other solvers")
	log := d.path("ledger")
	if _, err := d.run(ctx, exitDone, "audit", "verify", log); err != nil {
		return err
	}
	for _, solver := range []string{"z3", "cvc5"} {
		text, err := d.run(ctx, exitDone, "audit", "replay", log, "--solver", solver, "--summary")
		if err != nil {
			return err
		}
		lines := strings.Split(strings.TrimSpace(text), "\n")
		d.note("replay with "+solver, lines[len(lines)-1])
	}
	flipped := d.path("ledger-flipped")
	if err := os.CopyFS(flipped, os.DirFS(log)); err != nil {
		return exitWith(exitEnvironment, err)
	}
	bundle, err := filepath.Glob(filepath.Join(flipped, "tile", "entries", "000*", "*"))
	if err != nil || len(bundle) == 0 {
		return environmentf("no entry bundle in %s", flipped)
	}
	b, err := os.ReadFile(bundle[0])
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(bundle[0], b, 0o644); err != nil {
		return exitWith(exitEnvironment, err)
	}
	d.say("(one bit of byte %d of %s is flipped)", len(b)/2, bundle[0])
	_, err = d.run(ctx, exitRefused, "audit", "verify", flipped)
	d.note("flipped bit in the log", "found")
	return err
}

func (d *demonstration) summary(ctx context.Context) error {
	d.title("Summary")
	if _, err := d.run(ctx, exitDone, "report", d.path("linked"), "-o", d.path("report")); err != nil {
		return err
	}
	d.stop()
	if b, err := os.ReadFile(d.path("switch.log")); err == nil {
		d.say("the switch's ports:")
		fmt.Fprint(d.w, string(b))
	}
	t := newTable(d.w, "what", "result")
	for _, r := range d.rows {
		t.AppendRow([]any{r[0], r[1]})
	}
	t.Render()
	d.say("all in %v; open %s", time.Since(d.begun).Round(100*time.Millisecond), d.path("report", "index.html"))
	return nil
}
