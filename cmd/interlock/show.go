package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/verify"
)

// loadPlan reads a plan file; one that was changed after it was written is refused as unsafe.
func loadPlan(path string) (*alloc.File, error) {
	f, err := alloc.LoadPlan(path, alloc.CodecOf)
	if errors.Is(err, alloc.ErrChanged) {
		return nil, exitWith(exitRefused, err)
	}
	return f, exitWith(exitInput, err)
}

// certificatePath is where plan puts the certificate of the plan at path.
func certificatePath(path string) string {
	return strings.TrimSuffix(path, ".json") + ".certificate.json"
}

func loadCertificate(path string) (*verify.Certificate, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, inputf("no certificate for the plan: %w", err)
	}
	c, err := verify.ParseCertificate(b)
	if err != nil {
		return nil, inputf("%s:%w", path, err)
	}
	return c, nil
}

func newShow() *cobra.Command {
	c := &cobra.Command{
		Use:     "show PLAN",
		GroupID: "memory",
		Short:   "Show a saved plan: its steps, read from the bytes that would be sent, and its proof",
		Example: "  interlock show plan.json",
		Args:    cobra.ExactArgs(1),
	}
	format := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if alloc.KindOf(args[0]) == alloc.KindNetworkPlan {
			return showNetwork(c.OutOrStdout(), *format, args[0])
		}
		f, err := loadPlan(args[0])
		if err != nil {
			return err
		}
		return format.print(c.OutOrStdout(), f, func(out io.Writer) {
			printSteps(out, f)
			if cert, err := loadCertificate(certificatePath(args[0])); err == nil {
				fmt.Fprintln(out)
				printCertificate(out, cert)
			} else {
				fmt.Fprintf(out, "not proved: %v\n", err)
			}
		})
	}
	return c
}

// maxLines of one step are shown; a scrub can have many.
const maxLines = 12

func printSteps(out io.Writer, f *alloc.File) {
	fmt.Fprintf(out, "plan %s for switch %s, election id %d, %d steps\n", f.Digest, f.Input.Switch, f.Input.ElectionID, len(f.Steps))
	printStepTexts(out, f.Steps)
	fmt.Fprintf(out, "     supposed of the switch: %v\n", f.Input.Primitives)
}

func printStepTexts(out io.Writer, steps []alloc.StepText) {
	for _, s := range steps {
		for i, line := range s.Does {
			prefix := "     "
			if i == 0 {
				prefix = fmt.Sprintf("%3d. ", s.Step)
			}
			if i == maxLines {
				fmt.Fprintf(out, "%s... and %d more\n", prefix, len(s.Does)-i)
				break
			}
			fmt.Fprintln(out, prefix+line)
		}
	}
}

func showNetwork(out io.Writer, f format, path string) error {
	file, err := alloc.LoadNetworkPlan(path, alloc.CodecOf)
	if errors.Is(err, alloc.ErrChanged) {
		return exitWith(exitRefused, err)
	} else if err != nil {
		return exitWith(exitInput, err)
	}
	return f.print(out, file, func(out io.Writer) {
		printNetworkPlan(out, file)
		certs, err := loadCertificates(certificatePath(path))
		if err != nil || certs.Network == nil {
			fmt.Fprintf(out, "not proved: %v\n", err)
			return
		}
		for _, s := range file.Switches {
			if c := certs.Plans[s.Switch]; c != nil {
				fmt.Fprintf(out, "\nswitch %s:\n", s.Switch)
				printCertificate(out, c)
			}
		}
		fmt.Fprintf(out, "\nall switches together:\n")
		printCertificate(out, certs.Network)
	})
}
