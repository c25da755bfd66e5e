; Translation: what the data plane computes stays in the extent.
; Used by: verify/plan stays, decoded.translation; verify/program prover.inExtent
;
; A page-table entry gives base (24 bits), size (24 bits) and mask (32 bits). For an index of 32 bits the data plane computes, in 32 bits,
;     v = index & mask;   if v < size: slot = base + v;   else: a miss.
; An addition of 32 bits is one of integers, modulo 2^32. If the extent lies in the array, base + size <= slots <= 2^24, the slot is in
; the extent: the sum does not wrap, so what verify/plan says of integers holds of bit vectors. Nothing is supposed of v but that it is
; not negative: neither of the index nor of the mask. (What the mask is for says mask.smt2.)
(set-logic QF_UFLIA)
(declare-const base Int)
(declare-const size Int)
(declare-const v Int)
(declare-const slots Int)
(define-fun slot () Int (mod (+ base v) 4294967296))

; Claim: a hit stays in the extent, and in the array if the extent does
(push 1)
(assert (<= 0 base))
(assert (<= 0 v))
(assert (< v size))
(assert (<= (+ base size) slots))
(assert (<= slots 16777216))
(set-info :status sat)
(check-sat)
(assert (not (and (<= base slot) (< slot (+ base size)) (< slot slots))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: the sum does not wrap, whatever 24 bits base and size are, even where M3 does not hold
(push 1)
(assert (<= 0 base))
(assert (< base 16777216))
(assert (< size 16777216))
(assert (<= 0 v))
(assert (< v size))
(set-info :status sat)
(check-sat)
(assert (not (= slot (+ base v))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: an entry of size 0 gives nothing
(push 1)
(assert (= size 0))
(assert (<= 0 v))
(set-info :status sat)
(check-sat)
(assert (< v size))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: were base as wide as the sum, the sum might wrap, and leave the extent
(push 1)
(assert (and (<= 0 base) (< base 4294967296) (< size 16777216) (<= 0 v) (< v size)))
(assert (< slot base))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: an extent that does not lie in the array leads out of it
(push 1)
(assert (and (<= 0 base) (<= 0 v) (< v size) (<= slots 16777216)))
(assert (not (< slot slots)))
(set-info :status sat)
(check-sat)
(pop 1)
