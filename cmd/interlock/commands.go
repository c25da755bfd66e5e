package main

import "github.com/spf13/cobra"

// commands are all of them, in the order of the help text's groups.
func commands() []*cobra.Command {
	return []*cobra.Command{
		newInit(), newCheck(), newFmt(), newExplain(), newLink(), newProve(), newInstall(),
		newPlan(), newShow(), newApply(), newDiff(), newRun(), newGateway(), newStatus(), newEvict(), newAdmit(), newScrub(),
		newAudit(), newBill(), newRotateKey(), newReport(), newPolicy(), newSwitch(), newTrace(), newSchema(), newVersion(), newTraffic(), newDemo(),
	}
}
