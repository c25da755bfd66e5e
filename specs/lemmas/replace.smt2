; Replace: a program is replaced while it carries tenants: closed, read, committed, restored, opened.
; Used by: api/gate Gate.Shut, Gate.replaceable; verify/replace written.order, reading.steps; verify/program prover.closed
;
; A thing is anything that lasts and is one tenant's (or the system's): an entry, a count, a slot. It and its owner are arbitrary; so the
; claims hold for any number of both. had is what the thing held when the switch had been closed; now is what it holds.
;
; The invariant in words: while anybody is admitted, or a packet of somebody who was is still under way, either the old program runs and
; things hold what their owners' packets made of them, or the new one does and everything that has to be restored has been. In between, with
; the admission table empty and nobody under way, nothing that packets do matters: they touch nothing (P11, decided for both programs).
(set-logic QF_UFLIA)
(declare-const admitted Bool)      ; the admission table has any entry
(declare-const flight Bool)        ; a packet that found an entry is under way
(declare-const old Bool)           ; the old program runs
(declare-const had Int) (declare-const now Int)
(define-fun restored () Bool (= now had))
(define-fun safe ((admitted Bool) (flight Bool) (old Bool) (restored Bool)) Bool
  (=> (or admitted flight) (or old restored)))
(declare-const admitted2 Bool) (declare-const flight2 Bool) (declare-const now2 Int)

; Claim: closing: deleting entries of the admission table, any of them, or none, keeps it
(push 1)
(assert (safe admitted flight old restored))
(assert (=> admitted2 admitted))
(set-info :status sat)
(check-sat)
(assert (not (safe admitted2 flight old restored)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: packets come and go: who has no entry does not get in
(push 1)
(assert (safe admitted flight old restored))
(assert (=> flight2 (or flight admitted)))
(set-info :status sat)
(check-sat)
(assert (not (safe admitted flight2 old restored)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: when the admission table is empty and a fence has come back since, nobody is under way
(declare-const fresh Bool) ; a packet that came since the table was empty found an entry
(push 1)
(assert (not admitted))
(assert (=> fresh admitted))
(assert (=> flight fresh))
(set-info :status sat)
(check-sat)
(assert (or admitted flight))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: from then on nothing changes but by the controller: what is read is what it was, whenever it is read
(declare-const touched Bool) ; a packet touches the thing
(push 1)
(assert (not (or admitted flight)))
(assert (=> touched flight))             ; P11: it touches nothing without having found an entry
(assert (=> (not touched) (= now2 now)))
(set-info :status sat)
(check-sat)
(assert (not (= now2 now)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: the commit keeps it, whether it happened or not, and whatever the new program starts with
(declare-const old2 Bool)
(push 1)
(assert (not (or admitted flight)))
(assert (not admitted2))                 ; a new program's admission table is empty
(assert (=> flight2 (or flight admitted2)))
(set-info :status sat)
(check-sat)
(assert (not (safe admitted2 flight2 old2 (= now2 had))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: restoring keeps it: any part of any request, in any order, and death at any point, before anybody is admitted
(push 1)
(assert (not (or admitted flight)))
(set-info :status sat)
(check-sat)
(assert (not (safe admitted flight old (= now2 had))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Steps are numbered. A tenant's admission is opened in step open; the thing is restored in step mine; last is the last step that restores
; anything. While step k is under way those before it have succeeded, and of its own updates any may have been carried out.
(declare-const k Int) (declare-const open Int) (declare-const mine Int) (declare-const last Int)

; Claim: opening keeps it: where nothing is restored in or after the step that opens (the obligation M8/order), all is there
(push 1)
(assert (and (<= 0 mine) (<= mine last)))
(assert (< last open))                   ; M8/order is unsat
(assert (<= open k))                     ; the tenant may be admitted
(assert (=> (< mine k) restored))        ; a step that succeeded did what it says
(set-info :status sat)
(check-sat)
(assert (not (safe true true false restored)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: who finds anybody admitted under the new program knows that all is restored; who finds nobody may begin again from what was read
(push 1)
(assert (safe admitted flight old restored))
(assert (not old))
(assert admitted)
(set-info :status sat)
(check-sat)
(assert (not restored))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: M4 over time: a thing that comes back under a VID is of the tenant that has the VID now, by name, whoever had it before
(declare-fun owner (Int) Int)            ; of things, by name
(declare-fun vid (Int) Int)              ; that a name has in the new program
(declare-const thing Int) (declare-const under Int)
(declare-const a Int) (declare-const b Int)
(push 1)
(assert (= under (vid (owner thing))))   ; it is written under its owner's VID: compared, name by name
(assert (and (= under (vid a)) (= (owner thing) b)))
(assert (=> (= (vid a) (vid b)) (= a b))) ; VIDs are unique
(set-info :status sat)
(check-sat)
(assert (not (= a b)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: without a fence what was read may have changed since
(push 1)
(assert (not admitted))
(assert flight)
(assert (=> touched flight))
(assert (=> (not touched) (= now2 now)))
(assert (not (= now2 now)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: if a tenant is admitted in the step that restores, it may find nothing
(push 1)
(assert (and (<= 0 mine) (<= mine last)))
(assert (<= last open))
(assert (<= open k))
(assert (=> (< mine k) restored))
(assert (not (safe true true false restored)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: a commit while somebody is admitted may show half of it
(push 1)
(assert (safe admitted flight old restored))
(assert admitted)
(assert (not (safe admitted flight false (= now2 had))))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: with two tenants under one VID one may get what was the other's
(push 1)
(assert (= under (vid (owner thing))))
(assert (and (= under (vid a)) (= (owner thing) b)))
(assert (not (= a b)))
(set-info :status sat)
(check-sat)
(pop 1)
