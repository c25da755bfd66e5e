; Extremes: of many sizes with one bound, the smallest and the largest are enough.
; Used by: verify/plan decoded.masks, stage.limits
;
; Tenants with equal limits share one pair of facts, floor <= least and most <= ceiling; extents with equal masks share one, largest <= mask+1.
; That least, most and largest are the smallest and largest of the sizes the encoder reads off (min and max of numbers of the plan).
(set-logic QF_UFLIA)
(declare-const size Int)
(declare-const least Int)
(declare-const most Int)
(declare-const floor Int)
(declare-const ceiling Int)

; Claim: M6: every size between the smallest and the largest is within the limits
(push 1)
(assert (<= least size))
(assert (<= size most))
(assert (<= floor least))
(assert (<= most ceiling))
(set-info :status sat)
(check-sat)
(assert (not (and (<= floor size) (<= size ceiling))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M3: a mask that leaves indices below the largest size alone does so for every smaller size
(declare-const index Int)
(declare-const mask Int)
(push 1)
(assert (<= size most))
(assert (<= most (+ mask 1)))
(assert (< index size))
(set-info :status sat)
(check-sat)
(assert (not (<= index mask)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: the smallest size alone does not do for a ceiling
(push 1)
(assert (and (<= least size) (<= floor least) (<= least ceiling)))
(assert (not (<= size ceiling)))
(set-info :status sat)
(check-sat)
(pop 1)
