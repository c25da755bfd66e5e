; Frame: what a plan does not touch stays as it is.
; Used by: verify/plan decoded.cuts, stage.place, decoded.classify, decoded.pages
;
; Formulas are about what a plan touches: extents that it writes, takes away or wants, and runs of slots that it scrubs. decoded.cuts
; proves that whatever it leaves alone lies in the gaps between: the extent of a gap that begins first begins after what is touched before
; it, the one that ends last ends before what is touched after it. So none of the others has a touched slot. And on a slot that is not
; touched no event can break M1, M2 or M5.
(set-logic QF_UFLIA)
(declare-fun b (Int) Int) ; the extents of a gap
(declare-fun e (Int) Int)
(declare-const first Int)
(declare-const last Int)
(declare-const k Int)
(declare-const before Int) ; where the touched slots before the gap end, and those after it begin
(declare-const after Int)
(declare-const s Int)

; Claim: no extent of the gap holds a touched slot
(push 1)
(assert (<= before (b first)))
(assert (<= (e last) after))
(assert (<= (b first) (b k))) ; the encoder reads off which begins first
(assert (<= (e k) (e last)))   ; and which ends last
(assert (and (<= (b k) s) (< s (e k))))
(set-info :status sat)
(check-sat)
(assert (or (< s before) (<= after s)))
(set-info :status unsat)
(check-sat)
(pop 1)

; A slot that is not touched: each tenant's entries reach it in all versions or in none (has), and it is not scrubbed. In the terms of
; moments.smt2, with put = cur = has, live and dirty can only become less, or stay.
(declare-const has_a Bool) (declare-const live_a Bool) (declare-const dirty_a Bool) (declare-const live2_a Bool) (declare-const dirty2_a Bool)
(declare-const has_b Bool) (declare-const live_b Bool) (declare-const dirty_b Bool) (declare-const live2_b Bool) (declare-const dirty2_b Bool)
(define-fun step ((has Bool) (live Bool) (dirty Bool) (live2 Bool) (dirty2 Bool)) Bool
  (and (or (= live2 (or live has))   ; a request
           (= live2 has))            ; a fence
       (= dirty2 (or dirty live))))

; Claim: M1 and M2 hold after any step on a slot that is not touched, if they held before
(push 1)
(assert (=> has_a live_a))
(assert (=> has_b live_b))
(assert (not (and live_a live_b)))
(assert (not (and live_a dirty_b)))
(assert (not (and live_b dirty_a)))
(assert (step has_a live_a dirty_a live2_a dirty2_a))
(assert (step has_b live_b dirty_b live2_b dirty2_b))
(set-info :status sat)
(check-sat)
(assert (or (and live2_a live2_b) (and live2_a dirty2_b) (and live2_b dirty2_a)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M5: who had the slot has it still, and nobody else has written there
(push 1)
(assert has_a)
(assert (=> has_a live_a))
(assert (not (and live_a live_b)))
(assert (not (and live_a dirty_b)))
(assert (step has_a live_a dirty_a live2_a dirty2_a))
(assert (step has_b live_b dirty_b live2_b dirty2_b))
(set-info :status sat)
(check-sat)
(assert (not (and live2_a (not dirty2_b))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: a slot that an entry of some version reaches and that of the pre-state does not is touched
(push 1)
(assert (not (and live_a live_b)))
(assert (=> has_b live_b))
(assert (step has_a live_a dirty_a live2_a dirty2_a))
(assert (step has_b live_b dirty_b live2_b dirty2_b))
(assert (and live2_a live2_b))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: an extent that begins before the one that is said to be first may hold touched slots
(push 1)
(assert (<= before (b first)))
(assert (<= (e last) after))
(assert (and (<= (b k) s) (< s (e k))))
(assert (< s before))
(set-info :status sat)
(check-sat)
(pop 1)
