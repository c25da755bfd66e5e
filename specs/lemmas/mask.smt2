; Mask: a mask of the form 2^k-1 leaves indices below the size alone.
; Used by: verify/plan unfolded, decoded.masks, decoded.translation
;
; A register that is hash-indexed folds indices into its present size by a mask; one that is indexed directly has the mask of all ones. Either
; mask is of the form 2^k-1 with size <= 2^k, which decoded.masks proves of every entry. Then every index below the size is what it
; was: every slot of an extent can be reached, and at the index that it had before a plan and has after it, which is what M5 speaks of.
(set-logic QF_BV)
(declare-const size (_ BitVec 24))
(declare-const mask (_ BitVec 32))
(declare-const index (_ BitVec 32))
(define-fun ones () Bool (= (bvand mask (bvadd mask #x00000001)) #x00000000))  ; 2^k-1: adding one carries through all
(define-fun fits () Bool (bvule ((_ zero_extend 9) size) (bvadd ((_ zero_extend 1) mask) (_ bv1 33))))
(define-fun below () Bool (bvult index ((_ zero_extend 8) size)))

; Claim: an index below the size is not changed
(push 1)
(assert ones)
(assert fits)
(assert below)
(set-info :status sat)
(check-sat)
(assert (not (= (bvand index mask) index)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: the mask of all ones changes no index
(push 1)
(assert (= mask #xffffffff))
(set-info :status sat)
(check-sat)
(assert (not (= (bvand index mask) index)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: a mask that is too small folds an index below the size
(push 1)
(assert (and ones below))
(assert (not (= (bvand index mask) index)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: so does one with a hole in it
(push 1)
(assert (and fits below))
(assert (not (= (bvand index mask) index)))
(set-info :status sat)
(check-sat)
(pop 1)
