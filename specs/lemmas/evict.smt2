; Evict: taking entries away is safe in any state.
;
; Nothing is assumed about the state: two tenants may share slots, residue may lie anywhere. For any two tenants a and b and any slot:
; live says who can reach the slot (through the page table or by a packet in flight), dirty whose data may be in it. A request that
; only deletes entries, applied in whole, in part or not at all, writes no entry: afterwards, and while it is under way, each
; tenant can reach what it could reach, or less. So whatever is wrong afterwards was wrong before. Fences only take away, too.
; Hence evict needs no proof about the state, and always works; what it must show is that it does nothing but delete (M7).
(set-logic QF_LIA)
(declare-const live_a Bool) (declare-const live_b Bool)     ; before
(declare-const dirty_a Bool) (declare-const dirty_b Bool)
(declare-const live_a2 Bool) (declare-const live_b2 Bool)   ; during and after
(declare-const dirty_a2 Bool) (declare-const dirty_b2 Bool)
(assert (and (=> live_a dirty_a) (=> live_b dirty_b)))      ; who can reach a slot may have written there
(assert (and (=> live_a2 live_a) (=> live_b2 live_b)))      ; nothing is granted
(assert (= dirty_a2 (or dirty_a live_a2)))
(assert (= dirty_b2 (or dirty_b live_b2)))

; Things may be wrong before.
(push 1)
(assert (and live_a live_b))
(set-info :status sat)
(check-sat)
(pop 1)

; M1: two tenants that can reach the slot could do so before.
(push 1)
(assert (and live_a2 live_b2))
(assert (not (and live_a live_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; M2: one that finds another's residue could find it before.
(push 1)
(assert (and live_a2 dirty_b2))
(assert (not (and live_a dirty_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; M3: an entry that is left is the one that was there; one that is gone has size 0. What lies in the array still does.
(push 1)
(declare-const base Int) (declare-const size Int) (declare-const slots Int)
(declare-const base2 Int) (declare-const size2 Int)
(assert (or (and (= base2 base) (= size2 size)) (= size2 0)))
(assert (and (<= 0 base) (<= 0 size) (<= (+ base size) slots)))
(set-info :status sat)
(check-sat)
(assert (not (or (= size2 0) (and (<= 0 base2) (<= (+ base2 size2) slots)))))
(set-info :status unsat)
(check-sat)
(pop 1)
