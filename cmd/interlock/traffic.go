package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/alloc/traffic"
)

func newTraffic() *cobra.Command {
	var out string
	var kinds []string
	var seed uint64
	var duration time.Duration
	var rate float64
	c := &cobra.Command{
		Use:     "traffic [DIR] -o FOLDER",
		GroupID: "tools",
		Short:   "Generate the tenants' traffic from a seed: Zipf-distributed, time-varying, one pcap file a port",
		Long: `Traffic writes FOLDER/port<N>.pcap for every physical port of the tenants it has traffic for. The same seed gives the same
packets. The files appear when all of them are complete; a switch that follows them (--port N:follow:...) replays them then.`,
		Example: "  interlock traffic linked -o traffic --duration 20s --seed 7\n  interlock traffic linked -o traffic --kind cache=kv --kind probe=hh",
		Args:    cobra.MaximumNArgs(1),
	}
	c.Flags().StringVarP(&out, "output", "o", "traffic", "folder to write")
	c.Flags().StringArrayVar(&kinds, "kind", nil, "TENANT=kv|hh|fw: what traffic a tenant has (default: by its name)")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed")
	c.Flags().DurationVar(&duration, "duration", 20*time.Second, "how long the traffic lasts")
	c.Flags().Float64Var(&rate, "rate", 1, "scales all rates; 1 is some thousands of packets a second")
	on := addOn(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := openNetwork(dirArg(args, 0), *on)
		if err != nil {
			return err
		}
		w, err := n.one()
		if err != nil {
			return err
		}
		of := map[string]traffic.Kind{}
		for _, t := range w.site.Tenants {
			switch k := traffic.Kind(t.Name); k {
			case traffic.KeyValue, traffic.Flows, traffic.Connections:
				of[t.Name] = k
			}
		}
		for _, k := range kinds {
			name, kind, ok := strings.Cut(k, "=")
			if !ok {
				return inputf("--kind %s: want TENANT=KIND", k)
			}
			of[name] = traffic.Kind(kind)
		}
		if len(of) == 0 {
			return inputf("site %s has no tenant named after a kind of traffic (kv, hh, fw): give --kind TENANT=KIND", w.site.Name)
		}
		spec, err := traffic.ForSite(w.manifest, of, seed, duration, rate)
		if err != nil {
			return exitWith(exitInput, err)
		}
		counts, err := writeTraffic(out, spec)
		if err != nil {
			return exitWith(exitEnvironment, err)
		}
		fmt.Fprintf(c.OutOrStdout(), "seed %d, %v of traffic\n", seed, duration)
		t := newTable(c.OutOrStdout(), "port", "file", "packets", "bytes")
		for _, n := range counts {
			t.AppendRow([]any{n.Port, n.Path, n.Packets, n.Bytes})
		}
		t.Render()
		return nil
	}
	return c
}

// writeTraffic writes the files beside their place and moves them there when all are complete.
func writeTraffic(dir string, spec traffic.Spec) ([]traffic.Count, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp(dir, ".new-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	counts, err := traffic.WriteFiles(tmp, spec, time.Unix(0, 0))
	if err != nil {
		return nil, err
	}
	for i := range counts {
		path := filepath.Join(dir, filepath.Base(counts[i].Path))
		if err := os.Rename(counts[i].Path, path); err != nil {
			return nil, err
		}
		counts[i].Path = path
	}
	return counts, nil
}
