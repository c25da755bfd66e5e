; Inherit: where a plan ends, or dies, the next may begin.
; Used by: verify/plan shape.unroll, decoded.inherits, Encoder.Follows
;
; A plan's formulas assume something that cannot be read from a switch: packets in flight may hold older entries, and free slots may hold
; anybody's data, but what an old packet of one tenant reaches no other tenant reaches, and nobody reaches what another left. This is what
; M1 and M2 of the plan before say at the instant at which it ended, whatever had been applied by then. The page table is read
; after arbitration with a higher election id, so that nothing of the plan before is applied any more. So proved plans follow on one
; another, and the induction begins at a switch that has no entry. Evictions may come between (evict.smt2).
;
; That the entries which are read back are apart from each other (M1 before) and within bounds (M3 before, masks) is a fact about
; these numbers, which a plan proves of its pre-state, unless it names one that was proved and whose goal this is (Input.Previous). Then it
; follows from that one's M1, M3 and M6: by induction over the plans named, back to one that names none. Whoever relies on it looks
; up that the plan named was proved, and compares (Follows): nothing depends on what happened between the two.
(set-logic QF_UFLIA)
; When the plan before ended: live and dirty of moments.smt2, for two tenants.
(declare-const live_a Bool) (declare-const dirty_a Bool)
(declare-const live_b Bool) (declare-const dirty_b Bool)
; What the next plan finds: entries that were read back reach the slot, packets in flight do, data lies there.
(declare-const has_a Bool) (declare-const old_a Bool) (declare-const residue_a Bool)
(declare-const has_b Bool) (declare-const old_b Bool) (declare-const residue_b Bool)
(define-fun bounded ((has Bool) (old Bool) (residue Bool) (live Bool) (dirty Bool)) Bool
  (and (=> has live) (=> old live) (=> residue dirty)))
(define-fun inherited () Bool ; as shape.unroll assumes it
  (and (not (and old_a (or old_b has_b)))
       (not (and old_b (or old_a has_a)))
       (not (and (or old_a has_a) residue_b))
       (not (and (or old_b has_b) residue_a))))

; Claim: M1 and M2 at the end of a plan are what the next one assumes
(push 1)
(assert (bounded has_a old_a residue_a live_a dirty_a))
(assert (bounded has_b old_b residue_b live_b dirty_b))
(assert (not (and live_a live_b)))
(assert (not (and live_a dirty_b)))
(assert (not (and live_b dirty_a)))
(set-info :status sat)
(check-sat)
(assert (not inherited))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: after a fence that followed the last page-table write, no packet holds anything but what was read back (Fenced)
(declare-const new_a Bool) ; a packet that arrived since the fence began reaches the slot
(push 1)
(assert (=> new_a has_a))  ; entries did not change since
(assert (=> old_a new_a))  ; the fence has come back
(set-info :status sat)
(check-sat)
(assert (not (=> old_a has_a)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: on a switch without entries, whatever its slots hold, it is so
(push 1)
(assert (not (or has_a old_a has_b old_b)))
(set-info :status sat)
(check-sat)
(assert (not inherited))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: entries that a proved plan leaves are apart: no slot is reached by two of the next one's pre-state (Previous)
(push 1)
(assert (=> has_a live_a)) ; they are the entries that it leaves: Follows
(assert (=> has_b live_b))
(assert (not (and live_a live_b))) ; its M1
(set-info :status sat)
(check-sat)
(assert (and has_a has_b))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: when a program has been replaced (replace.smt2), the next plan may begin, too: extents that came back are disjoint, nobody is under way,
; and what is not zero is of whoever reaches it
(push 1)
(assert (not (or old_a old_b)))
(assert (not (and has_a has_b)))
(assert (=> residue_a has_a))
(assert (=> residue_b has_b))
(set-info :status sat)
(check-sat)
(assert (not inherited))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: not if they are others
(push 1)
(assert (=> has_a live_a))
(assert (not (and live_a live_b)))
(assert (and has_a has_b))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: not if a request of the plan before is applied after the page table was read
(push 1)
(assert (bounded has_a old_a residue_a live_a dirty_a))
(assert (bounded false old_b residue_b live_b dirty_b)) ; as read: b's entry does not reach the slot
(assert (not (or (and live_a live_b) (and live_a dirty_b) (and live_b dirty_a))))
(assert has_b)                                          ; but now it does
(assert (not inherited))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: M1 alone does not do: data of another may be in what a tenant reaches
(push 1)
(assert (bounded has_a old_a residue_a live_a dirty_a))
(assert (bounded has_b old_b residue_b live_b dirty_b))
(assert (not (and live_a live_b)))
(assert (not inherited))
(set-info :status sat)
(check-sat)
(pop 1)
