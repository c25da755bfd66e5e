; Evict: to take a tenant's entries away is safe in any state.
; Used by: api/gate Gate.Evict, Gate.expel
;
; Nothing is assumed of the state: two tenants may share slots, residue may lie anywhere, a plan may have died at any point. Tenants a and b
; and the slot are arbitrary; a is being evicted. entry_x, flight_x and data_x are what they are in recipe.smt2: x's entry reaches the slot, a
; packet in flight does, x's data is in it.
;
; The invariant in words: compared with the state in which the eviction began (entry0, flight0, data0), each tenant reaches what it
; reached, or less, and its data is where it was or where it could have written already. The eviction's request deletes entries of a, and
; nothing else; it may be applied in whole, in part or not at all. So whatever is wrong afterwards was wrong before: no proof about the
; state is needed, and what Evict must show is that it deletes and does nothing else, which is how Gate.unmap makes the request.
(set-logic QF_UFLIA)
(declare-const entry0_a Bool) (declare-const flight0_a Bool) (declare-const data0_a Bool)
(declare-const entry0_b Bool) (declare-const flight0_b Bool) (declare-const data0_b Bool)
(define-fun reach0_a () Bool (or entry0_a flight0_a))
(define-fun reach0_b () Bool (or entry0_b flight0_b))
(define-fun less ((entry0 Bool) (flight0 Bool) (data0 Bool) (entry Bool) (flight Bool) (data Bool)) Bool
  (and (=> entry entry0)
       (=> flight (or entry0 flight0))
       (=> data (or data0 entry0 flight0))))
(declare-const entry_a Bool) (declare-const flight_a Bool) (declare-const data_a Bool)
(declare-const entry_b Bool) (declare-const flight_b Bool) (declare-const data_b Bool)
(declare-const flight2 Bool) (declare-const data2 Bool)
(define-fun a-less () Bool (less entry0_a flight0_a data0_a entry_a flight_a data_a))
(define-fun b-less () Bool (less entry0_b flight0_b data0_b entry_b flight_b data_b))

; Claim: an entry of a is deleted
(push 1)
(assert a-less)
(set-info :status sat)
(check-sat)
(assert (not (less entry0_a flight0_a data0_a false flight_a data_a)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a packet of anybody arrives, and reads the page table
(push 1)
(assert b-less)
(assert (= flight2 (or flight_b entry_b)))
(set-info :status sat)
(check-sat)
(assert (not (less entry0_b flight0_b data0_b entry_b flight2 data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a packet leaves, or a fence comes back
(push 1)
(assert b-less)
(assert (=> flight2 flight_b))
(set-info :status sat)
(check-sat)
(assert (not (less entry0_b flight0_b data0_b entry_b flight2 data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a packet touches the slot
(push 1)
(assert b-less)
(assert (= data2 (or data_b flight_b)))
(set-info :status sat)
(check-sat)
(assert (not (less entry0_b flight0_b data0_b entry_b flight_b data2)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M1: two tenants that reach the slot did so before
(push 1)
(assert a-less)
(assert b-less)
(assert (and (or entry_a flight_a) (or entry_b flight_b)))
(set-info :status sat)
(check-sat)
(assert (not (and reach0_a reach0_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M2: who reaches what another left reached it before, and the other had left something there, or reached it too
(push 1)
(assert a-less)
(assert b-less)
(assert (and (or entry_a flight_a) data_b))
(set-info :status sat)
(check-sat)
(assert (not (and reach0_a (or data0_b reach0_b))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: if the next plan might have begun before, it may after
(push 1)
(assert a-less)
(assert b-less)
(assert (not (and reach0_a reach0_b)))
(assert (not (and reach0_a data0_b)))
(assert (not (and reach0_b data0_a)))
(set-info :status sat)
(check-sat)
(assert (or (and (or entry_a flight_a) (or entry_b flight_b))
            (and (or entry_a flight_a) data_b)
            (and (or entry_b flight_b) data_a)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M3: an entry that is left is the one that was there, and one that is gone has size 0
(declare-const base Int) (declare-const size Int) (declare-const slots Int)
(declare-const base2 Int) (declare-const size2 Int)
(push 1)
(assert (or (and (= base2 base) (= size2 size)) (= size2 0)))
(assert (<= 0 base))
(assert (<= (+ base size) slots))
(set-info :status sat)
(check-sat)
(assert (not (or (= size2 0) (and (<= 0 base2) (<= (+ base2 size2) slots)))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M4, M5: the entry of another tenant is under another VID, and stays
(declare-const vid_a Int) (declare-const vid_b Int) (declare-const key Int)
(declare-const entry2_b Bool)
(push 1)
(assert (not (= vid_a vid_b)))
(assert (= key vid_a))                                      ; the only key that the request names
(assert (= entry2_b (ite (= key vid_b) false entry_b)))
(set-info :status sat)
(check-sat)
(assert (not (= entry2_b entry_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: when all of a's entries are deleted and a fence has come back, a reaches nothing
(declare-const fresh Bool) ; a packet of a that arrived since the deletion reaches the slot
(push 1)
(assert (not entry_a))
(assert (=> fresh entry_a))
(assert (=> flight_a fresh))
(set-info :status sat)
(check-sat)
(assert (or entry_a flight_a))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: things may be wrong before, and stay so
(push 1)
(assert (and a-less b-less))
(assert (and (or entry_a flight_a) (or entry_b flight_b)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: a request that writes an entry may make wrong what was right
(push 1)
(assert (and a-less b-less))
(assert (not (and reach0_a reach0_b)))
(assert (and (or entry_b flight_b) true)) ; while a's entry becomes one that reaches the slot
(assert (not (less entry0_a flight0_a data0_a true flight_a data_a)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: without a fence packets of an evicted tenant still act
(push 1)
(assert a-less)
(assert (and (not entry_a) flight_a))
(set-info :status sat)
(check-sat)
(pop 1)
