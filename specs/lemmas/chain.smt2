; Chain: neighbours in order are apart, so all are.
;
; Extents [b(0),e(0)), [b(1),e(1)), ... of one stage array, none empty, sorted so that each ends at or before the next begins:
;     b(i) < e(i)   and   e(i) <= b(i+1).
; Then any two are apart: e(i) <= b(j) for all i < j. By induction on j; i is arbitrary and fixed, so constants stand for the values
; that the induction speaks of. This is why verify/plan compares neighbours only, in a number of facts linear in the extents.
(set-logic QF_LIA)
(declare-const b_i Int) (declare-const e_i Int)      ; extent i
(declare-const b_j Int) (declare-const e_j Int)      ; extent j, i < j
(declare-const b_next Int) (declare-const e_next Int) ; extent j+1
(declare-const slots Int)                             ; of the array

; What the chain says of i, j and j+1.
(assert (< b_i e_i))
(assert (< b_j e_j))
(assert (< b_next e_next))
(assert (<= e_j b_next))

; There are such extents.
(push 1)
(assert (<= e_i b_j))
(set-info :status sat)
(check-sat)
(pop 1)

; Base, j = i+1: that is the chain itself (i and j are neighbours).
(push 1)
(assert (= b_j b_i)) (assert (= e_j e_i)) ; j is i, so that j+1 is its neighbour
(assert (not (<= e_i b_next)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Step: if extent i ends before extent j, it ends before extent j+1.
(push 1)
(assert (<= e_i b_j))
(assert (not (<= e_i b_next)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Apart means that no slot is in both.
(push 1)
(declare-const s Int)
(assert (<= e_i b_j))
(assert (and (<= b_i s) (< s e_i) (<= b_j s) (< s e_j)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Bounds: if the first (here i) begins at 0 or later, and the last (here j+1) ends at the array's end or before, then so does
; every one between (here j).
(push 1)
(assert (<= e_i b_j))
(assert (<= 0 b_i))
(assert (<= e_next slots))
(assert (not (and (<= 0 b_j) (<= e_j slots))))
(set-info :status unsat)
(check-sat)
(pop 1)
