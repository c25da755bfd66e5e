; Interval: between neighbouring cuts nothing begins or ends.
; Used by: verify/plan decoded.cuts, stage.findEdges, stage.sweep, decoded.classify
;
; c(0) <= c(1) <= ... are all the slots where an extent of any version, or of the goal, or a run of scrubs begins or ends: decoded.cuts proves
; that they stand in this order. An extent is [c(p),c(q)), an elementary interval is [c(j),c(j+1)). If p <= j < q the extent holds every slot of
; the interval, else none. So who reaches a slot, what is scrubbed and what is kept depends on the slot's interval only, and one slot
; of a symbolic interval stands for all of them.
(set-logic QF_UFLIA)
(declare-fun c (Int) Int)
(declare-const p Int)
(declare-const q Int)
(declare-const j Int)
(declare-const s Int)

; The cuts are monotone, by induction: the base (m = l) is plain.
; Claim: step: if cut l is not past cut m, it is not past cut m+1
(declare-const l Int)
(declare-const m Int)
(push 1)
(assert (<= (c l) (c m)))
(assert (<= (c m) (c (+ m 1))))
(set-info :status sat)
(check-sat)
(assert (not (<= (c l) (c (+ m 1)))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Monotone, for the pairs that matter here.
(define-fun monotone ((l Int) (m Int)) Bool (=> (<= l m) (<= (c l) (c m))))
(define-fun in-interval () Bool (and (<= (c j) s) (< s (c (+ j 1)))))
(define-fun in-extent () Bool (and (<= (c p) s) (< s (c q))))

; Claim: an extent from cut p to cut q holds every slot of interval j if p <= j < q
(push 1)
(assert (monotone p j))
(assert (monotone (+ j 1) q))
(assert in-interval)
(assert (and (<= p j) (< j q)))
(set-info :status sat)
(check-sat)
(assert (not in-extent))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: and it holds none of them otherwise
(push 1)
(assert (monotone (+ j 1) p))
(assert (monotone q j))
(assert in-interval)
(assert (not (and (<= p j) (< j q))))
(set-info :status sat)
(check-sat)
(assert in-extent)
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: an extent that begins between two cuts holds some slots of the interval and not others
(declare-const at Int)
(declare-const t Int)
(push 1)
(assert (and (< (c j) at) (< at (c (+ j 1)))))
(assert in-interval)
(assert (and (<= (c j) t) (< t (c (+ j 1)))))
(assert (and (<= at s) (< t at)))
(set-info :status sat)
(check-sat)
(pop 1)
