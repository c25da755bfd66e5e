; Translation: what the data plane computes stays in the extent.
;
; A page-table entry gives base (24 bits), size (24 bits) and mask (32 bits). For an index of 32 bits the data plane computes, in 32 bits,
;     v = index & mask;   if v < size: slot = base + v;   else: a miss.
; If the extent lies in the array, base + size <= slots <= 2^24, the slot is in the extent: the sum does not wrap, and what the
; formulas of verify/plan say of integers holds of bit vectors. And if the mask is 2^k-1 with size <= 2^k, every index below the
; size is left as it is, so that every slot of the extent can be reached, at the index that it had before and has after.
(set-logic QF_BV)
(declare-const base (_ BitVec 24))
(declare-const size (_ BitVec 24))
(declare-const mask (_ BitVec 32))
(declare-const index (_ BitVec 32))
(declare-const slots (_ BitVec 34))

(define-fun base34 () (_ BitVec 34) ((_ zero_extend 10) base))
(define-fun size34 () (_ BitVec 34) ((_ zero_extend 10) size))
(define-fun v () (_ BitVec 32) (bvand index mask))
(define-fun slot () (_ BitVec 32) (bvadd ((_ zero_extend 8) base) v))
(define-fun slot34 () (_ BitVec 34) ((_ zero_extend 2) slot))

(assert (bvule slots (_ bv16777216 34)))
(assert (bvule (bvadd base34 size34) slots))

; A hit is possible.
(push 1)
(assert (bvult v ((_ zero_extend 8) size)))
(set-info :status sat)
(check-sat)
(pop 1)

; A hit stays in the extent and in the array, whatever the mask.
(push 1)
(assert (bvult v ((_ zero_extend 8) size)))
(assert (not (and (bvule base34 slot34) (bvult slot34 (bvadd base34 size34)) (bvult slot34 slots))))
(set-info :status unsat)
(check-sat)
(pop 1)

; A mask of the form 2^k-1 that is not too small leaves indices below the size alone.
(define-fun above () (_ BitVec 34) (bvadd ((_ zero_extend 2) mask) (_ bv1 34)))
(push 1)
(assert (= (bvand mask (bvadd mask (_ bv1 32))) (_ bv0 32)))
(assert (bvule size34 above))
(assert (bvult index ((_ zero_extend 8) size)))
(set-info :status sat)
(check-sat)
(assert (not (= v index)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Size 0 reaches nothing.
(push 1)
(assert (= size (_ bv0 24)))
(assert (bvult v ((_ zero_extend 8) size)))
(set-info :status unsat)
(check-sat)
(pop 1)
