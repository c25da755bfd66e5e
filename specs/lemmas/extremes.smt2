; Extremes: of many numbers with bounds of their own, the one that is nearest to its bound is enough.
; Used by: verify/plan decoded.masks, decoded.restrictions, decoded.within
;
; Every size has a floor and a ceiling of its own. The encoder reads off the pair whose margin, size - floor or ceiling - size, is least, and
; states one fact for all floors and one for all ceilings. Extents with equal masks share one, largest <= mask+1; extents in
; arrays of one size share two, 0 <= first and last <= slots. That a margin or number is the least or largest is read off (min and max of numbers of the
; plan, in 64 bits: sizes have at most 24, floors and ceilings are not negative).
(set-logic QF_UFLIA)
(declare-const size Int)
(declare-const most Int)
(declare-const floor Int) (declare-const ceiling Int)
; The pairs with the least margins.
(declare-const low-size Int) (declare-const low-floor Int)
(declare-const high-size Int) (declare-const high-ceiling Int)

; Claim: M6: no size is below its floor if that with the least margin is not
(push 1)
(assert (<= (- low-size low-floor) (- size floor)))
(assert (<= low-floor low-size))
(set-info :status sat)
(check-sat)
(assert (not (<= floor size)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M6: no size is above its ceiling if that with the least margin is not
(push 1)
(assert (<= (- high-ceiling high-size) (- ceiling size)))
(assert (<= high-size high-ceiling))
(set-info :status sat)
(check-sat)
(assert (not (<= size ceiling)))
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

; Claim: M3: an extent lies in the array if the first to begin and the last to end do
(declare-const base Int)
(declare-const first Int)
(declare-const last Int)
(declare-const slots Int)
(push 1)
(assert (<= first base))
(assert (<= (+ base size) last))
(assert (<= 0 first))
(assert (<= last slots))
(set-info :status sat)
(check-sat)
(assert (not (and (<= 0 base) (<= (+ base size) slots))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: the smallest size alone does not do where floors differ
(push 1)
(assert (and (<= low-size size) (<= low-floor low-size)))
(assert (not (<= floor size)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: the pair with the least margin above a floor does not do for a ceiling
(push 1)
(assert (<= (- low-size low-floor) (- size floor)))
(assert (and (<= low-floor low-size) (<= low-size high-ceiling)))
(assert (not (<= size ceiling)))
(set-info :status sat)
(check-sat)
(pop 1)
