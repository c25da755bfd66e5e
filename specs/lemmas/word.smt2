; Word: entries are equal if the numbers that their fields make up are.
; Used by: verify/plan decoded.goals, word
;
; M6 compares an entry with the goal's as one number: its fields one after the other, each in its width. For the last field of width w the
; number is x * 2^w + y with 0 <= y < 2^w, x being the number of the fields before it: equal numbers have equal x and equal y. So, by
; induction over the fields, one claim for each width that occurs: base and size 24 bits, mask 32, generation 16.
(set-logic QF_UFLIA)
(declare-const x Int) (declare-const y Int) ; an entry
(declare-const u Int) (declare-const v Int) ; the goal
(define-fun fits ((f Int) (below Int)) Bool (and (<= 0 f) (< f below)))

; Claim: 16 bits: generation
(push 1)
(assert (fits y 65536))
(assert (fits v 65536))
(assert (= (+ (* 65536 x) y) (+ (* 65536 u) v)))
(set-info :status sat)
(check-sat)
(assert (not (and (= x u) (= y v))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: 24 bits: base and size
(push 1)
(assert (fits y 16777216))
(assert (fits v 16777216))
(assert (= (+ (* 16777216 x) y) (+ (* 16777216 u) v)))
(set-info :status sat)
(check-sat)
(assert (not (and (= x u) (= y v))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: 32 bits: mask
(push 1)
(assert (fits y 4294967296))
(assert (fits v 4294967296))
(assert (= (+ (* 4294967296 x) y) (+ (* 4294967296 u) v)))
(set-info :status sat)
(check-sat)
(assert (not (and (= x u) (= y v))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: a field that is wider than its place makes different entries look equal
(push 1)
(assert (fits y 65536))
(assert (fits v 65537))
(assert (= (+ (* 65536 x) y) (+ (* 65536 u) v)))
(assert (not (and (= x u) (= y v))))
(set-info :status sat)
(check-sat)
(pop 1)
