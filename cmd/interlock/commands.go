package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/verify/program"
)

// commands are all of them, in the order of the help text's groups.
func commands() []*cobra.Command {
	return []*cobra.Command{
		newInit(), newCheck(), newLink(), newProve(), newInstall(),
		newPlan(), newShow(), newApply(), newDiff(), newRun(), newStatus(), newEvict(), newAdmit(),
		newAudit(), newReport(), newSwitch(), newSchema(), newVersion(), newTraffic(), newDemo(),
	}
}

// sorted puts a tenant's ports in order, so that equal sites give equal inputs.
func sorted(t program.Tenant) program.Tenant {
	slices.Sort(t.Ports)
	return t
}
