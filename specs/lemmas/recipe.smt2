; Recipe: shrink, fence, scrub, grow keeps M1, M2 and M5, for any number of tenants, any sizes, and any state that satisfies them.
;
; All properties are about two different tenants and one slot, or one tenant and one slot. So two arbitrary tenants a and b and one
; arbitrary slot s of one arbitrary stage array stand for all of them (skolemised): no bound on tenants, slots or stages is used.
;
; Tenant x has the extent [old_x, old_x + m_x) before, and is to have [new_x, new_x + n_x). It keeps the slots that it has at the same
; virtual index before and after: [old_x, old_x + min(m_x, n_x)) if old_x = new_x, else none.
;
; live(x): x can reach s, through the page table or by a packet in flight. dirty(x): data of x may be in s.
(set-logic QF_LIA)
(declare-const s Int)
(declare-const old_a Int) (declare-const m_a Int) (declare-const new_a Int) (declare-const n_a Int)
(declare-const old_b Int) (declare-const m_b Int) (declare-const new_b Int) (declare-const n_b Int)
(define-fun within ((b Int) (n Int)) Bool (and (<= b s) (< s (+ b n))))
(define-fun least ((x Int) (y Int)) Int (ite (< x y) x y))
(define-fun has_a () Bool (within old_a m_a))
(define-fun has_b () Bool (within old_b m_b))
(define-fun gets_a () Bool (within new_a n_a))
(define-fun gets_b () Bool (within new_b n_b))
(define-fun keeps_a () Bool (and (= old_a new_a) (within old_a (least m_a n_a))))
(define-fun keeps_b () Bool (and (= old_b new_b) (within old_b (least m_b n_b))))

; Before. Packets that are still in flight may hold older entries (flight_x). The invariant of M1 and M2, and what they left.
(declare-const flight_a Bool) (declare-const flight_b Bool)
(declare-const residue_a Bool) (declare-const residue_b Bool)
(define-fun live0_a () Bool (or flight_a has_a))
(define-fun live0_b () Bool (or flight_b has_b))
(define-fun dirty0_a () Bool (or residue_a live0_a))
(define-fun dirty0_b () Bool (or residue_b live0_b))
(assert (not (and live0_a live0_b)))
(assert (not (and live0_a dirty0_b)))
(assert (not (and live0_b dirty0_a)))

; The goal is exclusive.
(assert (not (and gets_a gets_b)))

; 1. Shrink: each entry becomes what is kept, one after the other, in any order, or not at all. Old entries are in flight.
(define-fun live1_a () Bool (or live0_a keeps_a))
(define-fun live1_b () Bool (or live0_b keeps_b))
(define-fun dirty1_a () Bool (or dirty0_a live1_a))
(define-fun dirty1_b () Bool (or dirty0_b live1_b))

; 2. Fence: no packet in flight holds an older entry any more.
(define-fun live2_a () Bool keeps_a)
(define-fun live2_b () Bool keeps_b)

; 3. Scrub a set of slots: at least those that somebody gets and does not keep, at most those that nobody keeps.
(declare-const scrubbed Bool)
(assert (=> (or (and gets_a (not keeps_a)) (and gets_b (not keeps_b))) scrubbed))
(assert (=> scrubbed (not (or keeps_a keeps_b))))
; While it is under way a slot may be scrubbed or not; when it has succeeded only who can reach the slot has data in it.
(define-fun dirty3_a () Bool (ite scrubbed live2_a dirty1_a))
(define-fun dirty3_b () Bool (ite scrubbed live2_b dirty1_b))

; 4. Grow: each entry becomes the goal's, in any order, or not at all.
(define-fun live4_a () Bool (or live2_a gets_a))
(define-fun live4_b () Bool (or live2_b gets_b))
(define-fun dirty4_a () Bool (or dirty3_a live4_a))
(define-fun dirty4_b () Bool (or dirty3_b live4_b))

; The situation is possible: a slot goes from b to a, with b's packets in flight; and one that is kept.
(push 1)
(assert (and has_b (not gets_b) gets_a (not has_a) flight_b residue_b scrubbed))
(set-info :status sat)
(check-sat)
(pop 1)
(push 1)
(assert (and keeps_a (< n_a m_a)))
(set-info :status sat)
(check-sat)
(pop 1)

; The set to be scrubbed exists: what a gets and does not keep, b does not keep.
(push 1)
(declare-const g Bool)
(assert (= g (and gets_a (not keeps_a))))
(assert (and g keeps_b))
(set-info :status unsat)
(check-sat)
(pop 1)

; M1 in every state: shrinking, fenced, growing.
(push 1)
(assert (or (and live1_a live1_b) (and live2_a live2_b) (and live4_a live4_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; M2 in every state.
(push 1)
(assert (or (and live1_a dirty1_b) (and live1_b dirty1_a)
            (and live2_a dirty1_b) (and live2_b dirty1_a)   ; scrubbing, or died before
            (and live2_a dirty3_b) (and live2_b dirty3_a)
            (and live4_a dirty4_b) (and live4_b dirty4_a)))
(set-info :status unsat)
(check-sat)
(pop 1)

; M5: nothing reachable is scrubbed.
(push 1)
(assert (and scrubbed (or live2_a live2_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; M5: what is kept is had before, and wanted, at the same virtual index; it is reached by the entry of every state.
(push 1)
(assert keeps_a)
(assert (not (and (= old_a new_a) has_a gets_a (= (- s old_a) (- s new_a)))))
(set-info :status unsat)
(check-sat)
(pop 1)

; The invariant holds again, when all steps have succeeded and a fence has come back: live is gets, and dirty is dirty4.
(push 1)
(assert (or (and gets_a gets_b) (and gets_a dirty4_b) (and gets_b dirty4_a)))
(set-info :status unsat)
(check-sat)
(pop 1)

; And without that fence, for the next plan: what was live while growing is still in flight.
(push 1)
(assert (or (and live4_a live4_b) (and live4_a dirty4_b) (and live4_b dirty4_a)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Each part of the recipe is needed. Without the fence the old entries are live while growing; without the scrub residue stays.
(push 1)
(assert (and live1_b gets_a))
(set-info :status sat)
(check-sat)
(pop 1)
(push 1)
(assert (and gets_a dirty1_b (not live1_b)))
(set-info :status sat)
(check-sat)
(pop 1)
