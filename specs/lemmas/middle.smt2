; Middle: the entry between shrinking and growing gives exactly what is kept.
; Used by: alloc Recipe, kept, after; verify/plan pattern.claim
;
; A tenant has the extent (old, m) under generation g, and is to have (new, n). It keeps the slots that it has at the same index before
; and after: the first min(m,n) if the extent does not move, else none. The recipe writes the old entry, or the goal's, or an empty one
; in between: whichever gives just that. The generation goes up by one, modulo 2^16, exactly if something is not kept.
(set-logic QF_UFLIA)
(declare-const old Int) (declare-const m Int) (declare-const g Int)
(declare-const new Int) (declare-const n Int)
(declare-const s Int)
(define-fun within ((b Int) (size Int)) Bool (and (<= b s) (< s (+ b size))))
(define-fun least ((x Int) (y Int)) Int (ite (< x y) x y))
(define-fun keep () Int (ite (= old new) (least m n) 0))
(define-fun lost () Bool (< keep m))
(define-fun next () Int (ite (= g 65535) 0 (+ g 1)))
(define-fun g-new () Int (ite lost next g))
(define-fun b-mid () Int (ite (= keep m) old (ite (= keep n) new old)))
(define-fun n-mid () Int (ite (= keep m) m (ite (= keep n) n 0)))
(define-fun g-mid () Int (ite (= keep m) g g-new))

; Claim: the middle entry reaches a slot exactly if it is kept: had and wanted, at the same index
(push 1)
(set-info :status sat)
(check-sat)
(assert (not (= (within b-mid n-mid) (and (= old new) (within old m) (within new n)))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: and at the index that it had
(push 1)
(assert (within b-mid n-mid))
(set-info :status sat)
(check-sat)
(assert (not (= b-mid old)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M3: it lies in the array
(declare-const slots Int)
(push 1)
(assert (<= 0 old))
(assert (<= 0 m))
(assert (<= (+ old m) slots))
(assert (<= 0 new))
(assert (<= (+ new n) slots))
(set-info :status sat)
(check-sat)
(assert (not (and (<= 0 b-mid) (<= (+ b-mid n-mid) slots))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M5: its generation is the old one or the goal's, and under the old one it shows nothing but what the old one showed
(push 1)
(set-info :status sat)
(check-sat)
(assert (not (and (or (= g-mid g) (= g-mid g-new))
                  (=> (= g-mid g) (or (= n-mid 0) (and (= b-mid old) (<= n-mid m)))))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M5: the generation changes exactly if content is lost
(push 1)
(set-info :status sat)
(check-sat)
(assert (not (= (= g-new g) (not lost))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M5: pattern.claim says the same of what is lost: the extent is not empty, and moves or gets smaller
(push 1)
(assert (<= 0 n))
(set-info :status sat)
(check-sat)
(assert (not (= lost (and (< 0 m) (not (and (= old new) (<= m n)))))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: what is had before and after at another index is not kept
(push 1)
(assert (and (within old m) (within new n)))
(assert (not (within b-mid n-mid)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: to grow at once under the old generation would show slots that the old one did not
(push 1)
(assert (and lost (< 0 n)))
(assert (not (and (= new old) (<= n m))))
(set-info :status sat)
(check-sat)
(pop 1)
