package p4rt

import (
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
)

// BatchErrors collects what failed in a batch (P4Runtime specification, error reporting).
type BatchErrors struct {
	all  []*p4v1.Error
	some bool
}

// Add says that update i of n failed.
func (b *BatchErrors) Add(i, n int, err error) {
	if b.all == nil {
		b.all = make([]*p4v1.Error, n)
		for j := range b.all {
			b.all[j] = &p4v1.Error{CanonicalCode: int32(codes.OK)}
		}
	}
	st := status.Convert(err)
	b.all[i] = &p4v1.Error{CanonicalCode: int32(st.Code()), Message: st.Message()}
	b.some = true
}

// maxErrorDetails bounds the entries of a status that travel: what a client takes as trailers is bounded too. Past it the rest of
// the batch is told in the message only.
const maxErrorDetails = 8192

// Status is the error of the whole, or nil if nothing failed. space names the vendor space of the messages.
func (b *BatchErrors) Status(space, what string) error {
	if !b.some {
		return nil
	}
	st := status.Newf(codes.Unknown, "%s failed", what)
	if len(b.all) > maxErrorDetails {
		return status.Errorf(codes.Unknown, "%s failed, with too many updates for details", what)
	}
	details := make([]protoadapt.MessageV1, len(b.all))
	for i, e := range b.all {
		if e.GetCanonicalCode() != int32(codes.OK) {
			e.Space = space
		}
		details[i] = protoadapt.MessageV1Of(e)
	}
	with, err := st.WithDetails(details...)
	if err != nil {
		return st.Err()
	}
	return with.Err()
}

// UpdateErrors unpacks the per-update errors of a failed Write (P4Runtime specification, 12.3).
func UpdateErrors(err error) []*p4v1.Error {
	var errs []*p4v1.Error
	for _, d := range status.Convert(err).Proto().GetDetails() {
		var e p4v1.Error
		if d.UnmarshalTo(&e) == nil {
			errs = append(errs, &e)
		}
	}
	return errs
}
