; Chain: neighbours in order are apart, so all are.
; Used by: verify/plan stage.preState, decoded.cuts
;
; A stage array has the extents [b(0),e(0)), [b(1),e(1)), ..., none empty, sorted, and each ends at or before the next begins:
;     full(k):  b(k) < e(k)          link(k):  e(k) <= b(k+1).
; Then any two are apart, e(i) <= b(j) for all i < j, by induction on j: i and j are arbitrary, so that the two claims about them are the
; base and the step. So verify/plan compares neighbours only: a number of facts linear in the extents. It may do so block by block, because
; the last extent of a block is compared with the first of the next: every link is in one of the blocks.
; Addresses are integers. (Bit vectors wrap, and a wrapped extent looks disjoint: see translation.smt2.)
(set-logic QF_UFLIA)
(declare-fun b (Int) Int)
(declare-fun e (Int) Int)
(declare-const i Int)
(declare-const j Int)
(define-fun full ((k Int)) Bool (< (b k) (e k)))
(define-fun link ((k Int)) Bool (<= (e k) (b (+ k 1))))
(define-fun apart ((k Int) (l Int)) Bool (<= (e k) (b l)))

; Claim: base: extent i ends before extent i+1 begins
(push 1)
(assert (link i))
(assert (= j (+ i 1)))
(set-info :status sat)
(check-sat)
(assert (not (apart i j)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: step: if extent i ends before extent j begins, it ends before extent j+1 begins
(push 1)
(assert (apart i j))
(assert (full j))
(assert (link j))
(set-info :status sat)
(check-sat)
(assert (not (apart i (+ j 1))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: extents that are apart share no slot
(declare-const s Int)
(define-fun holds ((k Int)) Bool (and (<= (b k) s) (< s (e k))))
(push 1)
(assert (apart i j))
(assert (holds i))
(set-info :status sat)
(check-sat)
(assert (holds j))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: if the first begins in the array and the last ends in it, so does every extent k between them
(declare-const k Int)
(declare-const slots Int)
(push 1)
(assert (<= 0 (b i)))
(assert (<= (e j) slots))
(assert (full i))
(assert (full j))
(assert (apart i k))
(assert (apart k j))
(set-info :status sat)
(check-sat)
(assert (not (and (<= 0 (b k)) (<= (e k) slots))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: links do not do where an extent may end before it begins
(push 1)
(assert (apart i j))
(assert (link j))
(assert (not (apart i (+ j 1))))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: without the link between two blocks, extents of the two may share a slot
(push 1)
(assert (full i))
(assert (full j))
(assert (= j (+ i 1)))
(assert (and (holds i) (holds j)))
(set-info :status sat)
(check-sat)
(pop 1)
