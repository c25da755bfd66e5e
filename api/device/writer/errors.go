package writer

import (
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/p4rt"
)

// maxShown is how many failed updates an error message lists.
const maxShown = 3

// withDetails adds the first failed updates of a batch to the error's text, keeping its code and details.
func withDetails(err error) error {
	st := status.Convert(err)
	var failed []string
	for i, e := range p4rt.UpdateErrors(err) {
		if codes.Code(e.GetCanonicalCode()) == codes.OK {
			continue
		}
		if len(failed) == maxShown {
			failed = append(failed, "...")
			break
		}
		failed = append(failed, fmt.Sprintf("update %d: %s: %s", i, codes.Code(e.GetCanonicalCode()), e.GetMessage()))
	}
	if len(failed) == 0 {
		return err
	}
	p := st.Proto()
	p.Message += " (" + strings.Join(failed, "; ") + ")"
	return status.ErrorProto(p)
}
