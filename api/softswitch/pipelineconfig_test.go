package softswitch

import (
	"bytes"
	"context"
	"strings"
	"testing"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

const (
	verify          = p4v1.SetForwardingPipelineConfigRequest_VERIFY
	verifyAndSave   = p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_SAVE
	verifyAndCommit = p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT
	commit          = p4v1.SetForwardingPipelineConfigRequest_COMMIT
	reconcileCommit = p4v1.SetForwardingPipelineConfigRequest_RECONCILE_AND_COMMIT
)

func (c *controller) getPipeline(t p4v1.GetForwardingPipelineConfigRequest_ResponseType) *p4v1.ForwardingPipelineConfig {
	c.t.Helper()
	r, err := c.rpc.GetForwardingPipelineConfig(context.Background(), &p4v1.GetForwardingPipelineConfigRequest{
		DeviceId: testDevice, ResponseType: t,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return r.GetConfig()
}

func TestPipelineConfig(t *testing.T) {
	_, c := serve(t, Options{})
	s := c.open()
	s.arbitrate(0, 1)
	c.id = &p4v1.Uint128{Low: 1}
	if got := c.getPipeline(0); got != nil {
		t.Fatalf("before any: %v", got)
	}
	if err := c.setPipeline(verify, c.config(5)); err != nil {
		t.Fatal(err)
	}
	if got := c.getPipeline(0); got != nil {
		t.Fatalf("after VERIFY: %v", got)
	}
	if err := c.setPipeline(commit, nil); status.Code(err) != codes.NotFound {
		t.Fatalf("COMMIT of nothing: %v", err)
	}
	if err := c.setPipeline(verifyAndCommit, c.config(5)); err != nil {
		t.Fatal(err)
	}
	got := c.getPipeline(p4v1.GetForwardingPipelineConfigRequest_ALL)
	if !proto.Equal(got, c.config(5)) {
		t.Fatal("ALL is not what was installed")
	}
	if got := c.getPipeline(p4v1.GetForwardingPipelineConfigRequest_COOKIE_ONLY); got.GetCookie().GetCookie() != 5 || got.P4Info != nil || got.P4DeviceConfig != nil {
		t.Fatalf("COOKIE_ONLY: %v", got)
	}
	if got := c.getPipeline(p4v1.GetForwardingPipelineConfigRequest_P4INFO_AND_COOKIE); got.P4Info == nil || got.P4DeviceConfig != nil {
		t.Fatalf("P4INFO_AND_COOKIE: %v", got)
	}
	if got := c.getPipeline(p4v1.GetForwardingPipelineConfigRequest_DEVICE_CONFIG_AND_COOKIE); got.P4Info != nil || !bytes.Equal(got.P4DeviceConfig, c.text) {
		t.Fatal("DEVICE_CONFIG_AND_COOKIE")
	}
}

func TestSavedPipelineTakesWritesUntilCommit(t *testing.T) {
	s, c := serve(t, Options{})
	c.primary(1)
	c.mustWrite(update(insert, c.l2(1, 1)))
	if err := c.setPipeline(verifyAndSave, c.config(2)); err != nil {
		t.Fatal(err)
	}
	c.mustWrite(update(insert, c.l2(2, 2)))
	out, err := s.Process(0, ethernet(1, 0, 0))
	if err != nil || len(out) != 1 || out[0].Port != 1 {
		t.Fatalf("before COMMIT: %v, %v", out, err)
	}
	if out, _ := s.Process(0, ethernet(2, 0, 0)); len(out) != 0 {
		t.Fatalf("the new entry works before COMMIT: %v", out)
	}
	if err := c.setPipeline(commit, c.config(2)); status.Code(err) != codes.InvalidArgument {
		t.Fatalf("COMMIT with a config: %v", err)
	}
	if err := c.setPipeline(commit, nil); err != nil {
		t.Fatal(err)
	}
	if out, _ := s.Process(0, ethernet(1, 0, 0)); len(out) != 0 {
		t.Fatalf("the old entry works after COMMIT: %v", out)
	}
	if out, _ := s.Process(0, ethernet(2, 0, 0)); len(out) != 1 || out[0].Port != 2 {
		t.Fatalf("after COMMIT: %v", out)
	}
}

func TestPipelineConfigRefuses(t *testing.T) {
	_, c := serve(t, Options{})
	c.primary(1)
	other := proto.CloneOf(c.info)
	other.Tables[0].Size++
	less, more, twice, digest := proto.CloneOf(c.info), proto.CloneOf(c.info), proto.CloneOf(c.info), proto.CloneOf(c.info)
	less.Registers = nil
	more.Actions = append(more.Actions, &configv1.Action{Preamble: &configv1.Preamble{Id: 1, Name: "twice"}})
	twice.Tables = append(twice.Tables, twice.Tables[0])
	digest.Digests = append(digest.Digests, &configv1.Digest{})
	text := func(old, new string) []byte {
		if !bytes.Contains(c.text, []byte(old)) {
			t.Fatalf("%q is not in the program", old)
		}
		return []byte(strings.Replace(string(c.text), old, new, 1))
	}
	for _, tc := range []struct {
		name string
		conf *p4v1.ForwardingPipelineConfig
		say  string
	}{
		{"no config", nil, "needed"},
		{"no program", &p4v1.ForwardingPipelineConfig{P4Info: c.info}, "needed"},
		{"other P4Info", &p4v1.ForwardingPipelineConfig{P4Info: other, P4DeviceConfig: c.text}, "differs"},
		{"P4Info of less", &p4v1.ForwardingPipelineConfig{P4Info: less, P4DeviceConfig: c.text}, "register cells is missing"},
		{"P4Info of more", &p4v1.ForwardingPipelineConfig{P4Info: more, P4DeviceConfig: c.text}, "action twice is not in the program"},
		{"P4Info with a table twice", &p4v1.ForwardingPipelineConfig{P4Info: twice, P4DeviceConfig: c.text}, "objects"},
		{"P4Info with a digest", &p4v1.ForwardingPipelineConfig{P4Info: digest, P4DeviceConfig: c.text}, "is not in the program"},
		{"syntax", &p4v1.ForwardingPipelineConfig{P4Info: c.info, P4DeviceConfig: text("bit<32> value;", "bit<32 value;")}, "p4_device_config:12:24"},
		{"type", &p4v1.ForwardingPipelineConfig{P4Info: c.info, P4DeviceConfig: text("meta.value + 1", "meta.value + true")}, "p4_device_config:"},
		{"a file of the switch's machine", &p4v1.ForwardingPipelineConfig{P4Info: c.info, P4DeviceConfig: []byte("#include \"/etc/passwd\"\n")}, "not found"},
		{"unsupported", &p4v1.ForwardingPipelineConfig{P4Info: c.info, P4DeviceConfig: text("mark_to_drop(sm);", "recirculate_preserving_field_list(0);")}, "recirculate"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := c.setPipeline(verifyAndCommit, tc.conf)
			if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), tc.say) {
				t.Fatalf("got %v, want %q", err, tc.say)
			}
			if got := c.getPipeline(0); got.GetCookie().GetCookie() != 1 {
				t.Fatal("the refused config runs")
			}
		})
	}
}
