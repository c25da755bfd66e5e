; Packets: what is proved of one packet does for any number at once.
; Used by: verify/program prover.confinement, prover.inExtent, machine.havoc
;
; verify/program executes one packet. On a switch many are under way, and their steps come in any order. A step of a packet of tenant x is: look
; at slot i, take a value from it, write a value. (A read writes what it read; a write does not use it; the two may be one step, or others
; come between.) P5 says that i is in the extent of the entry that the packet read when it came into its control: then x reaches i, in the
; sense of M1, which counts packets in flight. So a tenant's packets find only what they themselves put there, whatever the others' do,
; by induction over the steps of all packets: these are the conditions of Goguen and Meseguer's unwinding theorem. Two worlds that agree
; on what a reaches agree on it after a step of b, in one of them or both, and after the same step of a, which gives the same in both.
; And what verify/program shows of a packet, it shows for any value of every read, so that it does not matter who wrote in between.
(set-logic QF_UFLIA)
(declare-fun reach_a (Int) Bool)
(declare-fun reach_b (Int) Bool)
(declare-fun one (Int) Int)          ; the slots' contents in one world, and in the other
(declare-fun two (Int) Int)
(declare-fun stored (Int Int) Int)   ; what a packet writes, of the packet so far and what it read
(declare-fun carried (Int Int) Int)  ; the packet after the step: its headers, metadata and outputs
(declare-const packet Int)
(declare-const i Int)                ; the slot that the step is about
(declare-const t Int)                ; any slot that a reaches
(define-fun exclusive ((s Int)) Bool (not (and (reach_a s) (reach_b s))))     ; M1
(define-fun agree ((s Int)) Bool (=> (reach_a s) (= (one s) (two s))))
(define-fun one-after () Int (ite (= t i) (stored packet (one i)) (one t)))
(define-fun two-after () Int (ite (= t i) (stored packet (two i)) (two t)))

; Claim: a step of another tenant's packet changes no slot that a reaches
(push 1)
(assert (reach_a t))
(assert (reach_b i))      ; P5
(assert (exclusive i))    ; M1
(set-info :status sat)
(check-sat)
(assert (not (= one-after (one t))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: a step of a's packet leaves worlds that agree in agreement, and the packet the same in both
(push 1)
(assert (reach_a t))
(assert (reach_a i))      ; P5
(assert (agree i))
(assert (agree t))
(set-info :status sat)
(check-sat)
(assert (not (and (= one-after two-after) (= (carried packet (one i)) (carried packet (two i))))))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: worlds agree on a slot that a is given: M2 leaves zero there, or what a wrote since, and it has not written yet
(declare-const wrote Bool)
(push 1)
(assert (or (= (one t) 0) wrote)) ; M2
(assert (or (= (two t) 0) wrote))
(assert (not wrote))
(set-info :status sat)
(check-sat)
(assert (not (agree t)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Claim: what is proved of a packet for every value that it may read holds for those that are there when it reads
(declare-fun unsafe (Int Int Int) Bool)  ; of the packet and what it reads in two stages
(declare-fun later (Int) Int)            ; the contents when it comes to the second: others have been there
(declare-const j Int)
(push 1)
(assert (not (unsafe packet (one i) (later j)))) ; the proof's instance
(declare-const x Int)
(declare-const y Int)
(assert (= x (one i)))
(assert (= y (later j)))
(set-info :status sat)
(check-sat)
(assert (unsafe packet x y))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: without M1 a step of b's packet may change what a has
(push 1)
(assert (reach_a t))
(assert (reach_b i))
(assert (not (= one-after (one t))))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: without P5 it may too
(push 1)
(assert (reach_a t))
(assert (exclusive i))
(assert (not (= one-after (one t))))
(set-info :status sat)
(check-sat)
(pop 1)

; Canary: a proof that takes registers to stand still while one packet passes says nothing of what others do in between
(push 1)
(assert (not (unsafe packet (one i) (one j))))
(assert (unsafe packet (one i) (later j)))
(set-info :status sat)
(check-sat)
(pop 1)
