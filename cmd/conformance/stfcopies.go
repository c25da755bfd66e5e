package main

import (
	"context"
	"fmt"
	"strconv"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
)

// replicate carries out commands about clone sessions and multicast groups. It reports whether the command is one.
//
// The language speaks of nodes, which have a replication id and ports, and of sessions that name a group; P4Runtime's groups and
// sessions both list their copies.
func (r *stfRun) replicate(ctx context.Context, c stfCommand) (known bool, err error) {
	var ns []uint32
	for _, a := range c.args {
		n, err := strconv.ParseUint(a, 0, 32)
		if err != nil {
			break
		}
		ns = append(ns, uint32(n))
	}
	least := map[string]int{
		"mirroring_add": 2, "mirroring_add_mc": 2, "mirroring_delete": 1, "mirroring_get": 1,
		"mc_mgrp_create": 1, "mc_node_create": 2, "mc_node_update": 2, "mc_node_associate": 2,
	}
	if least[c.verb] == 0 {
		return false, nil
	}
	if len(ns) != len(c.args) || len(ns) < least[c.verb] {
		return true, &phaseError{"test not understood", fmt.Errorf("arguments of %s", c.verb)}
	}
	switch c.verb {
	case "mirroring_add":
		return true, r.session(ctx, p4v1.Update_INSERT, ns[0], []*p4v1.Replica{replica(ns[1], 0)})
	case "mirroring_add_mc":
		r.sessions[ns[0]] = ns[1]
		return true, r.session(ctx, p4v1.Update_INSERT, ns[0], r.replicas(ns[1]))
	case "mirroring_delete":
		delete(r.sessions, ns[0])
		return true, r.session(ctx, p4v1.Update_DELETE, ns[0], nil)
	case "mirroring_get":
		_, err := r.read(ctx, sessionEntity(ns[0], nil))
		return true, err
	case "mc_mgrp_create":
		r.groups[ns[0]] = nil
		return true, r.group(ctx, p4v1.Update_INSERT, ns[0])
	case "mc_node_create":
		r.nodes = append(r.nodes, stfNode{ns[0], ns[1:]})
		return true, nil
	case "mc_node_update":
		if int(ns[0]) >= len(r.nodes) {
			return true, fmt.Errorf("there is no node %d", ns[0])
		}
		r.nodes[ns[0]].ports = ns[1:]
		for g, nodes := range r.groups {
			for _, n := range nodes {
				if n == int(ns[0]) {
					if err := r.changed(ctx, g); err != nil {
						return true, err
					}
				}
			}
		}
		return true, nil
	default:
		if int(ns[1]) >= len(r.nodes) {
			return true, fmt.Errorf("there is no node %d", ns[1])
		}
		r.groups[ns[0]] = append(r.groups[ns[0]], int(ns[1]))
		return true, r.changed(ctx, ns[0])
	}
}

// changed updates a group, and the clone sessions that copy to it.
func (r *stfRun) changed(ctx context.Context, g uint32) error {
	if err := r.group(ctx, p4v1.Update_MODIFY, g); err != nil {
		return err
	}
	for s, of := range r.sessions {
		if of == g {
			if err := r.session(ctx, p4v1.Update_MODIFY, s, r.replicas(g)); err != nil {
				return err
			}
		}
	}
	return nil
}

func replica(port, instance uint32) *p4v1.Replica {
	return &p4v1.Replica{PortKind: &p4v1.Replica_Port{Port: []byte{byte(port >> 8), byte(port)}}, Instance: instance}
}

// replicas are the copies that a group makes.
func (r *stfRun) replicas(g uint32) []*p4v1.Replica {
	var all []*p4v1.Replica
	for _, n := range r.groups[g] {
		for _, p := range r.nodes[n].ports {
			all = append(all, replica(p, r.nodes[n].rid))
		}
	}
	return all
}

func (r *stfRun) group(ctx context.Context, t p4v1.Update_Type, g uint32) error {
	return r.write(ctx, t, &p4v1.Entity{Entity: &p4v1.Entity_PacketReplicationEngineEntry{
		PacketReplicationEngineEntry: &p4v1.PacketReplicationEngineEntry{
			Type: &p4v1.PacketReplicationEngineEntry_MulticastGroupEntry{
				MulticastGroupEntry: &p4v1.MulticastGroupEntry{MulticastGroupId: g, Replicas: r.replicas(g)},
			},
		},
	}})
}

func sessionEntity(id uint32, replicas []*p4v1.Replica) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_PacketReplicationEngineEntry{
		PacketReplicationEngineEntry: &p4v1.PacketReplicationEngineEntry{
			Type: &p4v1.PacketReplicationEngineEntry_CloneSessionEntry{
				CloneSessionEntry: &p4v1.CloneSessionEntry{SessionId: id, Replicas: replicas},
			},
		},
	}}
}

func (r *stfRun) session(ctx context.Context, t p4v1.Update_Type, id uint32, replicas []*p4v1.Replica) error {
	return r.write(ctx, t, sessionEntity(id, replicas))
}
