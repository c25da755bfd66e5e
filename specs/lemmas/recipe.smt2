; Recipe: shrink, fence, scrub, grow keeps M1 to M5, for any tenants, stages, sizes and state.
; Used by: alloc Recipe, Goal
;
; Every property is about two tenants and one slot, or about one tenant and one slot. So two arbitrary tenants a and b and one arbitrary slot
; s of one arbitrary stage array stand for all: nothing bounds tenants, stages or slots. What the others do changes nothing here, but
; for their scrubs (third). Of tenant x's extents only this matters, and nothing is supposed of their bases and sizes:
;     has_x     its entry in the pre-state gives s; a tenant without an entry has nothing
;     gets_x    the goal's does
;     keeps_x   both do, at the same index: just then the middle entry, which x is shrunk to, gives s (middle.smt2)
; The state. phase: beginning (until the first fence has come back), shrinking, fencing, scrubbing, growing, done. Of each tenant x:
;     shrunk_x  its entry is the middle one            grown_x   it is the goal's
;     flight_x  a packet in flight reaches s           fresh_x   one does that arrived since the fence under way began
;     data_x    something of x's is in s
; and zeroed: this plan has scrubbed s. The controller may die in any state: then no controller's event follows, and what holds in
; every state holds for ever. An event is what the switch or the controller does to one entry, one packet or one slot, so that every
; subset and every order of a request's updates is a sequence of events.
;
; The invariant in words (Inv below):
;     nobody reaches what another reaches, and nobody reaches what another's data is in (M1, M2);
;     entries are old until they are shrunk, middle until they are grown, each request done before the next step begins;
;     packets in flight: while shrinking they hold the old entry or the middle one, once the fence has come back only the middle one,
;     while growing the middle one or the goal's; who arrived since a fence began holds what the entries were then;
;     once s is scrubbed, only who keeps s or has grown into it has data in it; and before anybody grows into s it was scrubbed.
(set-logic QF_UFLIA)
(declare-const has_a Bool) (declare-const gets_a Bool) (declare-const keeps_a Bool)
(declare-const has_b Bool) (declare-const gets_b Bool) (declare-const keeps_b Bool)
(assert (=> keeps_a has_a))
(assert (=> keeps_a gets_a))
(assert (=> keeps_b gets_b))  ; (that keeps_b gives has_b is not needed)
; What x's entry gives.
(define-fun entry ((shrunk Bool) (grown Bool) (has Bool) (keeps Bool) (gets Bool)) Bool (ite grown gets (ite shrunk keeps has)))
; Recipe scrubs what anybody had or gets and does not keep; third: a tenant other than a and b is the reason.
(declare-const third Bool)
(define-fun frees-or-gets_a () Bool (and (or has_a gets_a) (not keeps_a)))
(define-fun frees-or-gets_b () Bool (and (or has_b gets_b) (not keeps_b)))
(define-fun scrubs () Bool (or frees-or-gets_a frees-or-gets_b third))

(declare-sort Phase 0)
(declare-const beginning Phase) (declare-const shrinking Phase) (declare-const fencing Phase)
(declare-const scrubbing Phase) (declare-const growing Phase) (declare-const done Phase)
(assert (distinct beginning shrinking fencing scrubbing growing done))
(define-fun order ((phase Phase) (shrunk Bool) (grown Bool)) Bool
  (and (or (= phase beginning) (= phase shrinking) (= phase fencing) (= phase scrubbing) (= phase growing) (= phase done))
       (=> (= phase beginning) (not shrunk))
       (=> (or (= phase fencing) (= phase scrubbing) (= phase growing) (= phase done)) shrunk)
       (=> grown (or (= phase growing) (= phase done)))
       (=> (= phase done) grown)))
(define-fun packets ((phase Phase) (grown Bool) (flight Bool) (fresh Bool) (has Bool) (keeps Bool) (gets Bool)) Bool
  (and (=> fresh flight)
       (=> (and fresh (= phase beginning)) has)
       (=> (and flight (or (= phase shrinking) (= phase fencing))) has)
       (=> (and fresh (= phase fencing)) keeps)
       (=> (and flight (= phase scrubbing)) keeps)
       (=> (and flight (or (= phase growing) (= phase done))) (or keeps (and grown gets)))))
(define-fun scrubbed ((phase Phase) (grown Bool) (data Bool) (zeroed Bool) (keeps Bool) (gets Bool)) Bool
  (and (=> (and (= phase scrubbing) zeroed data) keeps)
       (=> (and (or (= phase growing) (= phase done)) zeroed data) (or keeps (and grown gets)))
       (=> (and (or (= phase growing) (= phase done)) gets (not keeps)) zeroed)))
(define-fun Inv ((phase Phase) (zeroed Bool)
    (shrunk_a Bool) (grown_a Bool) (flight_a Bool) (fresh_a Bool) (data_a Bool)
    (shrunk_b Bool) (grown_b Bool) (flight_b Bool) (fresh_b Bool) (data_b Bool)) Bool
  (let ((reach_a (or flight_a (entry shrunk_a grown_a has_a keeps_a gets_a)))
        (reach_b (or flight_b (entry shrunk_b grown_b has_b keeps_b gets_b))))
    (and (not (and reach_a reach_b))  ; M1
         (not (and reach_a data_b))   ; M2
         (not (and reach_b data_a))
         (order phase shrunk_a grown_a)
         (order phase shrunk_b grown_b)
         (packets phase grown_a flight_a fresh_a has_a keeps_a gets_a)
         (packets phase grown_b flight_b fresh_b has_b keeps_b gets_b)
         (scrubbed phase grown_a data_a zeroed keeps_a gets_a)
         (scrubbed phase grown_b data_b zeroed keeps_b gets_b))))

; Claim: what one tenant frees or gets no other keeps: so the recipe scrubs nothing that anybody keeps
(push 1)
(assert (not (and has_a has_b)))    ; the pre-state is exclusive
(assert (not (and gets_a gets_b)))  ; so is the goal
(assert frees-or-gets_b)
(set-info :status sat)
(check-sat)
(assert keeps_a)
(set-info :status unsat)
(check-sat)
(pop 1)

; So much is given of the plan as a whole.
(assert (not (and has_a has_b)))
(assert (not (and gets_a gets_b)))
(assert (=> third (not (or keeps_a keeps_b))))  ; the claim above, for a third tenant

; Any state, and the one after an event.
(declare-const phase Phase) (declare-const zeroed Bool)
(declare-const shrunk_a Bool) (declare-const grown_a Bool)
(declare-const shrunk_b Bool) (declare-const grown_b Bool)
(declare-const flight_a Bool) (declare-const fresh_a Bool) (declare-const data_a Bool)
(declare-const flight_b Bool) (declare-const fresh_b Bool) (declare-const data_b Bool)
(declare-const flight_a2 Bool) (declare-const fresh_a2 Bool) (declare-const data_b2 Bool)
(define-fun Now () Bool (Inv phase zeroed shrunk_a grown_a flight_a fresh_a data_a shrunk_b grown_b flight_b fresh_b data_b))
(define-fun entry_a () Bool (entry shrunk_a grown_a has_a keeps_a gets_a))
(define-fun entry_b () Bool (entry shrunk_b grown_b has_b keeps_b gets_b))
(define-fun reach_a () Bool (or flight_a entry_a))
(define-fun reach_b () Bool (or flight_b entry_b))

; Claim: start: before the first fence packets in flight may hold any entry that was ever valid
(push 1)
(assert (not (and (or flight_a has_a) (or flight_b has_b))))  ; inherited: inherit.smt2
(assert (not (and (or flight_a has_a) data_b)))
(assert (not (and (or flight_b has_b) data_a)))
(set-info :status sat)
(check-sat)
(assert (not (Inv beginning false false false flight_a false data_a false false flight_b false data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: start without the first fence, where this controller has completed one since its last page-table write
(push 1)
(assert (=> flight_a has_a))
(assert (=> flight_b has_b))
(assert (not (and has_a data_b)))
(assert (not (and has_b data_a)))
(set-info :status sat)
(check-sat)
(assert (not (Inv shrinking false false false flight_a false data_a false false flight_b false data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Events of the world. Each is told of a; b's are the same with the names exchanged, for Inv is symmetric.

; Claim: a packet of a arrives and reads the page table
(push 1)
(assert Now)
(assert (= flight_a2 reach_a))
(assert (= fresh_a2 (or fresh_a entry_a)))
(set-info :status sat)
(check-sat)
(assert (not (Inv phase zeroed shrunk_a grown_a flight_a2 fresh_a2 data_a shrunk_b grown_b flight_b fresh_b data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a packet of a leaves
(push 1)
(assert Now)
(assert (=> flight_a2 flight_a))
(assert (=> fresh_a2 fresh_a))
(assert (=> fresh_a2 flight_a2))
(set-info :status sat)
(check-sat)
(assert (not (Inv phase zeroed shrunk_a grown_a flight_a2 fresh_a2 data_a shrunk_b grown_b flight_b fresh_b data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a packet of a touches the slot: a's data is in it, and b's may be gone
(push 1)
(assert Now)
(assert flight_a)
(assert (=> data_b2 data_b))
(set-info :status sat)
(check-sat)
(assert (not (Inv phase zeroed shrunk_a grown_a flight_a fresh_a true shrunk_b grown_b flight_b fresh_b data_b2)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Events of the plan.

; Claim: the first fence has come back: packets that arrived before it have left
(push 1)
(assert Now)
(assert (= phase beginning))
(assert (=> flight_a fresh_a))
(assert (=> flight_b fresh_b))
(set-info :status sat)
(check-sat)
(assert (not (Inv shrinking zeroed shrunk_a grown_a flight_a false data_a shrunk_b grown_b flight_b false data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a's entry is shrunk to the middle one, or deleted if a is to have nothing
(push 1)
(assert Now)
(assert (= phase shrinking))
(set-info :status sat)
(check-sat)
(assert (not (Inv shrinking zeroed true grown_a flight_a fresh_a data_a shrunk_b grown_b flight_b fresh_b data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: everybody has shrunk, and the fence begins
(push 1)
(assert Now)
(assert (= phase shrinking))
(assert shrunk_a)
(assert shrunk_b)
(set-info :status sat)
(check-sat)
(assert (not (Inv fencing zeroed shrunk_a grown_a flight_a false data_a shrunk_b grown_b flight_b false data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: the fence has come back, and scrubbing begins
(push 1)
(assert Now)
(assert (= phase fencing))
(assert (=> flight_a fresh_a))
(assert (=> flight_b fresh_b))
(set-info :status sat)
(check-sat)
(assert (not (Inv scrubbing false shrunk_a grown_a flight_a false data_a shrunk_b grown_b flight_b false data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: nobody had anything to shrink, so that the fence is left out
(push 1)
(assert Now)
(assert (= phase shrinking))
(assert (= has_a keeps_a))
(assert (= has_b keeps_b))
(set-info :status sat)
(check-sat)
(assert (not (Inv scrubbing false true grown_a flight_a false data_a true grown_b flight_b false data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: the slot is scrubbed (that nobody reaches it then is M5 below)
(push 1)
(assert Now)
(assert (= phase scrubbing))
(set-info :status sat)
(check-sat)
(assert (not (Inv scrubbing true shrunk_a grown_a flight_a fresh_a false shrunk_b grown_b flight_b fresh_b false)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: everything is scrubbed, and growing begins
(push 1)
(assert Now)
(assert (= phase scrubbing))
(assert (=> scrubs zeroed))
(set-info :status sat)
(check-sat)
(assert (not (Inv growing zeroed shrunk_a grown_a flight_a false data_a shrunk_b grown_b flight_b false data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a's entry is grown to the goal's
(push 1)
(assert Now)
(assert (= phase growing))
(set-info :status sat)
(check-sat)
(assert (not (Inv growing zeroed shrunk_a true flight_a fresh_a data_a shrunk_b grown_b flight_b fresh_b data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: everybody has grown
(push 1)
(assert Now)
(assert grown_a)
(assert grown_b)
(set-info :status sat)
(check-sat)
(assert (not (Inv done zeroed shrunk_a grown_a flight_a fresh_a data_a shrunk_b grown_b flight_b fresh_b data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; What follows in every state.

; Claim: M1, M2: whatever has been applied, nobody reaches what another reaches, or finds what another left; so the next plan may begin
(push 1)
(assert Now)
(set-info :status sat)
(check-sat)
(assert (or (and reach_a reach_b) (and reach_a data_b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M3: every entry lies in the array
(declare-const s Int) (declare-const slots Int)
(push 1)
(assert (=> has_a (and (<= 0 s) (< s slots))))   ; the pre-state's does
(assert (=> gets_a (and (<= 0 s) (< s slots))))  ; so does the goal's
(assert entry_a)
(set-info :status sat)
(check-sat)
(assert (not (and (<= 0 s) (< s slots))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M4: an update under one tenant's VID is none of another's entry; and when it is done a tenant that is to have nothing reaches nothing
(declare-const vid_a Int) (declare-const vid_b Int) (declare-const key Int)
(push 1)
(assert (not (= vid_a vid_b)))  ; M4/vids
(assert (= key vid_a))          ; M4/keys
(assert Now)
(assert (= phase done))
(assert (not gets_a))
(set-info :status sat)
(check-sat)
(assert (or (= key vid_b) flight_a entry_a))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M5: nothing reachable is scrubbed
(push 1)
(assert Now)
(assert (= phase scrubbing))
(assert scrubs)
(set-info :status sat)
(check-sat)
(assert reach_a)
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M5: what is kept is reached in every state (at the index that it had: middle.smt2); nobody else can write there, and it is not scrubbed
(push 1)
(assert Now)
(assert keeps_a)
(set-info :status sat)
(check-sat)
(assert (not (and entry_a (not reach_b) (not data_b) (not scrubs))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M6: when it is done the goal is reached
(push 1)
(assert Now)
(assert (= phase done))
(set-info :status sat)
(check-sat)
(assert (not (and (= entry_a gets_a) (= entry_b gets_b))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Each part of the recipe is needed: without it the invariant breaks.

; Canary: without the fence after shrinking, old entries are in flight while others' slots are scrubbed and given away
(push 1)
(assert (and Now (= phase shrinking) shrunk_a shrunk_b))
(assert (not (Inv scrubbing false shrunk_a grown_a flight_a false data_a shrunk_b grown_b flight_b false data_b)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: without the first fence packets may hold entries older than the pre-state
(push 1)
(assert (and Now (= phase beginning)))
(assert (not (Inv shrinking zeroed shrunk_a grown_a flight_a false data_a shrunk_b grown_b flight_b false data_b)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: without the scrub a tenant finds what another left
(push 1)
(assert (and Now (= phase scrubbing) gets_a data_b))
(assert (and (entry true true has_a keeps_a gets_a) data_b))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: to scrub only what is freed is not enough: free slots may hold residue
(push 1)
(assert (and Now (= phase scrubbing)))
(assert (=> (or (and has_a (not keeps_a)) (and has_b (not keeps_b))) zeroed))
(assert (not (Inv growing zeroed shrunk_a grown_a flight_a false data_a shrunk_b grown_b flight_b false data_b)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: to scrub while shrinking hits what a tenant can still reach
(push 1)
(assert (and Now (= phase shrinking) scrubs))
(assert reach_a)
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: to grow before everybody has shrunk gives a slot to two
(push 1)
(assert (and Now (= phase shrinking)))
(assert (and (entry true true has_a keeps_a gets_a) entry_b))
(set-info :status sat)
(check-sat)
(pop 1)
