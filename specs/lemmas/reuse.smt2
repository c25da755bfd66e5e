; Reuse: what was decided once, of the same text, need not be decided again.
; Used by: verify/smt cache.get, cache.put; verify/plan texts.of, stage.preState
;
; A verdict is remembered by the digest of its text, for one solver with its options; a text, by all that the encoder makes it of. A plan that
; leaves a block of a stage alone has the block's text from the plan before, and so its verdict: cost grows with the plan, not
; with the switch. This rests on SHA-256: that no two texts that ever occur have one digest.
(set-logic QF_UFLIA)
(declare-sort Key 0)    ; all that a text is made of
(declare-sort Text 0)
(declare-sort Digest 0)
(declare-fun text (Key) Text)
(declare-fun digest (Text) Digest)
(declare-fun unsat-text (Text) Bool)
(declare-const t Text) (declare-const t2 Text)
(declare-const k Key) (declare-const k2 Key)
(declare-const stored Digest)
(define-fun injective ((x Text) (y Text)) Bool (=> (= (digest x) (digest y)) (= x y)))

; Claim: a verdict found under a text's digest is the text's own
(push 1)
(assert (unsat-text t))
(assert (= stored (digest t)))   ; what was remembered
(assert (= stored (digest t2)))  ; and found
(assert (injective t t2))
(set-info :status sat)
(check-sat)
(assert (not (unsat-text t2)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a text found under all that it is made of is the text that would be made
(push 1)
(assert (= t (text k)))  ; what was remembered
(assert (= k k2))        ; and found
(set-info :status sat)
(check-sat)
(assert (not (= t (text k2))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a certificate that states a text's digest, and the verdict of that digest, proves the text
(push 1)
(declare-const result Digest)
(assert (= stored (digest t2)))  ; verify.Stated
(assert (= result stored))       ; verify.Result, compared by Certificate.Proved
(assert (= result (digest t)))
(assert (unsat-text t))          ; what the solver was given
(assert (injective t t2))
(set-info :status sat)
(check-sat)
(assert (not (unsat-text t2)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: were there a collision, a verdict would be taken for another text's
(push 1)
(assert (unsat-text t))
(assert (= (digest t) (digest t2)))
(assert (not (unsat-text t2)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: a text remembered by less than all that it is made of may be another's
(declare-sort Part 0)
(declare-fun part (Key) Part)
(push 1)
(assert (= t (text k)))
(assert (= (part k) (part k2)))
(assert (not (= t (text k2))))
(set-info :status sat)
(check-sat)
(pop 1)
