; Interval: between neighbouring cuts nothing begins or ends.
;
; c(0) < c(1) < ... are the end points of all extents of a stage array, sorted. An extent is [c(p),c(q)) with p < q; an elementary
; interval is [c(j),c(j+1)). If p <= j < q the extent holds every slot of the interval, else none. So who can reach a slot depends
; on its interval only, and one symbolic interval lo < hi with "holds all" or "holds none" stands for every slot in it: that is what
; the shapes of verify/plan are.
;
; That a sorted chain is monotone (p <= j gives c(p) <= c(j), and p < q gives c(p) < c(q)) is the lemma in chain.smt2.
(set-logic QF_LIA)
(declare-const p Int) (declare-const q Int) (declare-const j Int)
(declare-const c_p Int) (declare-const c_q Int) ; the extent
(declare-const lo Int) (declare-const hi Int)   ; c(j) and c(j+1)
(declare-const s Int)                           ; any slot of the interval
(assert (< p q))
(assert (< c_p c_q))
(assert (< lo hi))
(assert (and (<= lo s) (< s hi)))
; Monotone, for the pairs that matter: p and j, j+1 and q, q and j, j+1 and p.
(assert (=> (<= p j) (<= c_p lo)))
(assert (=> (<= (+ j 1) q) (<= hi c_q)))
(assert (=> (<= q j) (<= c_q lo)))
(assert (=> (<= (+ j 1) p) (<= hi c_p)))

; Both cases happen.
(push 1)
(assert (and (<= p j) (< j q)))
(set-info :status sat)
(check-sat)
(pop 1)
(push 1)
(assert (not (and (<= p j) (< j q))))
(set-info :status sat)
(check-sat)
(pop 1)

; The extent holds the slot exactly if p <= j < q.
(push 1)
(assert (not (= (and (<= p j) (< j q)) (and (<= c_p s) (< s c_q)))))
(set-info :status unsat)
(check-sat)
(pop 1)
