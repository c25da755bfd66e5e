; Shapes: what is decided once for a symbolic interval holds of every interval of that shape.
; Used by: verify/plan decoded.classify, shape.unroll, decoded.shapes, stage.kind, decoded.patterns
;
; The obligations of a shape are about any lo < hi, any slot between them, and any extents that lie to [lo,hi) as their class says: in (holds
; all of it), out (holds none). What is unsatisfiable for all numbers is so for those of each instance; what has to be shown is that the
; shape says all that matters: that the class of an entry decides who reaches the slot, that the events that a shape leaves out
; change nothing, and that one tenant, anyone else, stands for all tenants none of whose entries reach the interval. (That the
; numbers of an instance lie as its classes say is interval.smt2.)
(set-logic QF_UFLIA)
(declare-const lo Int)
(declare-const hi Int)
(declare-const s Int)
(declare-const base Int)
(declare-const size Int)
(define-fun reaches () Bool (and (<= base s) (< s (+ base size))))

; Claim: an entry of class in reaches the slot
(push 1)
(assert (<= lo s))
(assert (< s hi))
(assert (<= base lo))
(assert (<= hi (+ base size)))
(set-info :status sat)
(check-sat)
(assert (not reaches))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: an entry of class out does not
(push 1)
(assert (<= lo s))
(assert (< s hi))
(assert (or (= size 0) (<= (+ base size) lo) (<= hi base)))
(set-info :status sat)
(check-sat)
(assert reaches)
(set-info :status unsat)
(check-sat)
(pop 1)

; Events, in the terms of moments.smt2.
(declare-const cur Bool)
(declare-const put Bool)
(declare-const live Bool)
(declare-const dirty Bool)
(define-fun same-after ((cur2 Bool) (live2 Bool) (dirty2 Bool)) Bool
  (and (= cur2 cur) (= live2 live) (= dirty2 dirty)))

; Claim: a write of the class that the entry has, the only one it can have, changes nothing
(push 1)
(assert (=> cur live))
(assert (=> live dirty))
(assert (= put cur))
(set-info :status sat)
(check-sat)
(assert (not (same-after put (or live put) (or dirty live put))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a fence changes nothing where nothing but cur is live
(push 1)
(assert (=> live dirty))
(assert (= cur live))
(set-info :status sat)
(check-sat)
(assert (not (same-after cur cur (or dirty live))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Two tenants o and u, none of whose entries reach the slot in any version: what they reach they reach by old packets, until the first
; fence; what they left is what they had left, or what old packets write. Of old packets and residue before the plan, the inherited
; invariant says that two tenants are apart (inherit.smt2).
(declare-const old_o Bool) (declare-const residue_o Bool) (declare-const live_o Bool) (declare-const dirty_o Bool)
(declare-const old_u Bool) (declare-const residue_u Bool) (declare-const live_u Bool) (declare-const dirty_u Bool)

; Claim: M1 and M2 hold between two tenants of whom the shape does not speak
(push 1)
(assert (not (and old_o old_u)))
(assert (not (and old_o residue_u)))
(assert (not (and old_u residue_o)))
(assert (=> live_o old_o))
(assert (=> live_u old_u))
(assert (=> dirty_o (or residue_o old_o)))
(assert (=> dirty_u (or residue_u old_u)))
(set-info :status sat)
(check-sat)
(assert (or (and live_o live_u) (and live_o dirty_u) (and live_u dirty_o)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: a class that says nothing of the interval's end does not tell whether the slot is reached
(push 1)
(assert (and (<= lo s) (< s hi) (<= base lo)))
(assert (not reaches))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: a write may not be left out where the entry may be one of several
(push 1)
(assert (and (=> cur live) (=> live dirty)))
(assert (=> put cur)) ; put is one of the things that cur may be
(assert (not (same-after put (or live put) (or dirty live put))))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: a fence may not be left out while old entries are in flight
(push 1)
(assert (and (=> cur live) (=> live dirty)))
(assert (not (same-after cur cur (or dirty live))))
(set-info :status sat)
(check-sat)
(pop 1)
