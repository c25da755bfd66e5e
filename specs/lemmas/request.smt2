; Request: one request, any subset of its updates in any order.
; Used by: verify/plan decoded.requests, decoded.foresee, decoded.trace, history.trace
;
; A switch may apply a request's updates in any order, and may stop anywhere (P4Runtime). Updates that name other entries do not
; touch this one, because keys are VIDs and VIDs are unique (M4). So if a request names an entry once, the entry is the old one or what
; the update makes of it; if it modifies it more than once, it is the old one or any of those, and after all of them
; one of those: by induction over the updates that have been applied, of which the claims add one. M6 asks that each update finds what it needs in
; every order, and that there is room.
(set-logic QF_UFLIA)
(declare-const there0 Bool) ; the entry exists: before the request
(declare-const there Bool)  ; now
(declare-const there2 Bool) ; after one more update
(declare-const insert Bool) ; an update inserts; else it deletes or modifies

; Claim: the only update that names an entry finds what it needs, if it does before the request
(push 1)
(assert (= there there0)) ; nothing else names the entry
(assert (= insert (not there0)))
(set-info :status sat)
(check-sat)
(assert (not (= insert (not there))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: any number of updates that modify an entry find it, in any order
(push 1)
(assert there0)
(assert (= there there0))  ; so far
(assert (= there2 there))  ; one more
(set-info :status sat)
(check-sat)
(assert (not (and there (= there2 there0))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: an entry is the old one or one that the request writes, and once an update was applied one that it writes
(declare-fun written (Int) Bool)
(declare-const old Int) (declare-const now Int) (declare-const next Int)
(declare-const applied Bool)
(push 1)
(assert (ite applied (written now) (= now old)))
(assert (or (= next now) (written next)))   ; some other update, or one of this entry
(set-info :status sat)
(check-sat)
(assert (not (and (or (= next old) (written next)) (=> applied (written next)))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: there is room for every subset, if there is for all inserts without the deletes
(declare-const have Int) (declare-const inserts Int) (declare-const capacity Int)
(declare-const i Int) (declare-const d Int) ; inserts and deletes that have been applied
(push 1)
(assert (<= (+ have inserts) capacity))
(assert (<= i inserts))
(assert (<= 0 d))
(set-info :status sat)
(check-sat)
(assert (not (<= (- (+ have i) d) capacity)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: to delete an entry and insert it in one request fails in one of the orders
(push 1)
(assert there0)
(assert (= there there0))
(assert (= insert there)) ; the insert is applied first
(assert insert)
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: what the deletes will free is no room yet
(declare-const deletes Int)
(push 1)
(assert (<= (- (+ have inserts) deletes) capacity))
(assert (and (<= 0 i) (<= i inserts) (<= 0 d) (<= d deletes)))
(assert (not (<= (- (+ have i) d) capacity)))
(set-info :status sat)
(check-sat)
(pop 1)
