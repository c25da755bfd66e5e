; Moments: what the formulas of a plan say at each step holds at every instant of it.
; Used by: verify/plan shape.unroll, world.record, decoded.pages
;
; verify/plan does not follow instants. For each step, each tenant and one slot it says four things, each an upper bound:
;     cur    what the tenant's entry may be before the step reaches the slot
;     put    some entry that the step writes for the tenant reaches the slot
;     live   = live of the step before, or put:  the tenant can reach the slot, through the page table or by a packet in flight
;     dirty  = dirty of the step before, or live: something that the tenant wrote may be in the slot
; What happens is finer: updates of a request are applied one by one, any subset in any order; packets arrive, read the page table, touch the
; slot, and leave, at any instant; the controller may die. At an instant
;     ent      the tenant's entry reaches the slot             applied  some update of this step has been applied to it
;     flight   a packet in flight reaches the slot             new      one does that arrived since the step began
;     data     something of the tenant's is in the slot        zeroed   this step has written zero into it
; The invariant in words: the entry is what it was or what the step wrote; who is in flight is live; whose data is there is dirty, and
; live if zero has been written; who arrived since the step began read an entry that was there since then. Every event keeps it, and
; when a step succeeds it holds of the next step, with what the formulas say there. Hence M1, M2 and M5, proved of live and dirty,
; hold at every instant, whatever was applied when the controller died. Other tenants' events change nothing of this, but for scrubs.
(set-logic QF_UFLIA)
(declare-const cur Bool)
(declare-const put Bool)
(declare-const live0 Bool)  ; of the step before
(declare-const dirty0 Bool)
(define-fun live () Bool (or live0 put))
(define-fun dirty () Bool (or dirty0 live))
(define-fun inv ((cur Bool) (put Bool) (live Bool) (dirty Bool)
    (ent Bool) (applied Bool) (flight Bool) (new Bool) (data Bool) (zeroed Bool)) Bool
  (and (=> cur live)
       (=> (and ent (not applied)) cur)
       (=> (and ent applied) put)
       (=> flight live)
       (=> new (and flight (or cur put)))
       (=> data dirty)
       (=> (and data zeroed) live)))

(declare-const ent Bool)  (declare-const applied Bool)  (declare-const flight Bool)  (declare-const new Bool)
(declare-const data Bool) (declare-const zeroed Bool)
(declare-const ent2 Bool) (declare-const flight2 Bool) (declare-const new2 Bool) (declare-const data2 Bool)
(assert (inv cur put live dirty ent applied flight new data zeroed))

; Claim: an update of the request is applied: the entry becomes one that the step writes
(push 1)
(assert (=> ent2 put))
(set-info :status sat)
(check-sat)
(assert (not (inv cur put live dirty ent2 true flight new data zeroed)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a packet of the tenant arrives and reads the page table
(push 1)
(assert (= flight2 (or flight ent)))
(assert (= new2 (or new ent)))
(set-info :status sat)
(check-sat)
(assert (not (inv cur put live dirty ent applied flight2 new2 data zeroed)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a packet leaves
(push 1)
(assert (=> flight2 flight))
(assert (=> new2 new))
(assert (=> new2 flight2))
(set-info :status sat)
(check-sat)
(assert (not (inv cur put live dirty ent applied flight2 new2 data zeroed)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a packet touches the slot
(push 1)
(assert (= data2 (or data flight)))
(set-info :status sat)
(check-sat)
(assert (not (inv cur put live dirty ent applied flight new data2 zeroed)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: the slot is scrubbed
(push 1)
(set-info :status sat)
(check-sat)
(assert (not (inv cur put live dirty ent applied flight new false true)))
(set-info :status unsat)
(check-sat)
(pop 1)

; When a step has succeeded, the next begins: with another cur, live and dirty, and an unknown put.
(declare-const put2 Bool)

; Claim: a request that wrote the tenant's entry has succeeded: cur is what it wrote
(push 1)
(assert applied)
(set-info :status sat)
(check-sat)
(assert (not (inv put put2 (or live put2) (or dirty live put2) ent false flight false data false)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a request that did not write the tenant's entry has succeeded: cur stays
(push 1)
(assert (not applied))
(set-info :status sat)
(check-sat)
(assert (not (inv cur put2 (or live put2) (or dirty live put2) ent false flight false data false)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a fence has come back: packets that arrived before it have left, so live is cur
(push 1)
(assert (not put))        ; a fence writes nothing
(assert (=> flight new))  ; what the driver declares
(set-info :status sat)
(check-sat)
(assert (not (inv cur put2 (or cur put2) (or dirty cur put2) ent false flight false data false)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a scrub of the slot has succeeded, in a request that may have written entries too: dirty is live
(push 1)
(assert zeroed)
(declare-const after Bool)
(assert (= after (ite applied put cur)))
(set-info :status sat)
(check-sat)
(assert (not (inv after put2 (or live put2) (or live put2) ent false flight false data false)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: a fence that is not waited for leaves packets in flight that hold older entries
(push 1)
(assert (not put))
(assert (not (inv cur put2 (or cur put2) (or dirty cur put2) ent false flight false data false)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: a scrub that has not been applied leaves data
(push 1)
(assert (not applied))
(assert (not (inv cur put2 (or live put2) (or live put2) ent false flight false data false)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: a request that is still under way may leave the old entry
(push 1)
(assert (not (inv put put2 (or live put2) (or dirty live put2) ent false flight false data false)))
(set-info :status sat)
(check-sat)
(pop 1)
