; DRF: sharing incentive, up to one quantum of each tenant, for any number of tenants and resources.
; Used by: verify/policy Proof.Prove
;
; Progressive filling by rank(t) = share(t) / weight(t), where share(t) is the largest part of any resource that t holds, and a grant is
; the tenant's next quantum: what "the rank is the dominant share", "a tenant is served no more only when its next quantum does not fit"
; and "the engine keeps its books" say of builtin:drf and builtin:weighted-drf (interlock policy prove; specs/policies/ENGINE.md).
; Real numbers stand for exact ratios. quantum(t) is the largest part of any resource in any one quantum of t.
;
; By induction over decisions: while i is open, share(j) / weight(j) <= share(i) / weight(i) + quantum(j) / weight(j) for every j
; (claims 1 to 3). When i is closed for lack of resource r, the parts of r that the other tenants hold are, by induction over them, at most
; their weights · rank(i) + their quanta (claims 4 and 5), and with what i holds more than 1 less i's next quantum. So (claim 6) share(i) is
; more than its fair part weight(i) / weights, less weight(i) / weights of the sum of all tenants' largest quanta. A product of a weight and a
; rank is a variable here: nothing but its sums matters.
(set-logic QF_LRA)
; Ranks of the one that is served, k, of one that is open, i, and of any, j; and what one quantum adds at most to a rank.
(declare-const rank_k Real) (declare-const rank_i Real) (declare-const rank_j Real)
(declare-const quantum_k Real) (declare-const quantum_j Real)
(declare-const part Real) (declare-const held Real) (declare-const adds Real) ; of the resource that decides k's new rank

; Claim: at the start nobody is ahead
(push 1)
(assert (= rank_j 0.0))
(assert (= rank_i 0.0))
(assert (>= quantum_j 0.0))
(set-info :status sat)
(check-sat)
(assert (not (<= rank_j (+ rank_i quantum_j))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a grant to k, whose rank is least, puts it ahead of no open tenant by more than one quantum
(push 1)
(assert (<= rank_k rank_i))
(assert (<= held rank_k))         ; in every resource, as rank is the largest
(assert (<= adds quantum_k))      ; likewise
(assert (= part (+ held adds)))   ; k's new rank is the part of some resource, over its weight
(set-info :status sat)
(check-sat)
(assert (not (<= part (+ rank_i quantum_k))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: not if another than the one of least rank is served
(push 1)
(assert (<= held rank_k))
(assert (<= adds quantum_k))
(assert (= part (+ held adds)))
(assert (not (<= part (+ rank_i quantum_k))))
(set-info :status sat)
(check-sat)
(pop 1)

; Claim: nor does a grant to the open tenant itself put others ahead of it
(push 1)
(assert (<= rank_j (+ rank_k quantum_j)))
(assert (>= adds 0.0))
(assert (>= part (+ rank_k adds)))
(set-info :status sat)
(check-sat)
(assert (not (<= rank_j (+ part quantum_j))))
(set-info :status unsat)
(check-sat)
(pop 1)

; When i is closed: sums over the other tenants so far of what they hold of r, of weight times rank of i, and of quanta; and those of one more.
(declare-const sum Real) (declare-const fair Real) (declare-const quanta Real)
(declare-const holds Real) (declare-const share Real) (declare-const weighted Real) (declare-const quantum Real)

; Claim: of no tenants the sums are as claimed
(push 1)
(assert (and (= sum 0.0) (= fair 0.0) (= quanta 0.0)))
(set-info :status sat)
(check-sat)
(assert (not (<= sum (+ fair quanta))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: and of one tenant more
(push 1)
(assert (<= sum (+ fair quanta)))
(assert (<= holds share))                   ; a share is the largest part
(assert (<= share (+ weighted quantum)))    ; not ahead of i, times the tenant's weight
(set-info :status sat)
(check-sat)
(assert (not (<= (+ sum holds) (+ fair weighted quanta quantum))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: not if one is ahead of i
(push 1)
(assert (<= sum (+ fair quanta)))
(assert (<= holds share))
(assert (not (<= (+ sum holds) (+ fair weighted quanta quantum))))
(set-info :status sat)
(check-sat)
(pop 1)

(declare-const asked Real) (declare-const quantum_i Real)

; Claim: a tenant that is closed for lack of a resource has its fair part, up to one quantum of each tenant
(push 1)
(assert (<= sum (+ fair quanta)))           ; of all others
(assert (<= holds weighted))                ; of i: its share is its weight times its rank
(assert (> (+ sum holds asked) 1.0))        ; i's next quantum does not fit
(assert (<= asked quantum_i))
(set-info :status sat)
(check-sat)
(assert (not (> (+ fair weighted quanta quantum_i) 1.0)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: not if it is closed while there is room
(push 1)
(assert (<= sum (+ fair quanta)))
(assert (<= holds weighted))
(assert (<= asked quantum_i))
(assert (not (> (+ fair weighted quanta quantum_i) 1.0)))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: not without the quanta: indivisible demands cost that much
(push 1)
(assert (<= sum (+ fair quanta)))
(assert (<= holds weighted))
(assert (> (+ sum holds asked) 1.0))
(assert (<= asked quantum_i))
(assert (and (> quanta 0.0) (> quantum_i 0.0)))
(assert (not (>= (+ fair weighted) 1.0)))
(set-info :status sat)
(check-sat)
(pop 1)
