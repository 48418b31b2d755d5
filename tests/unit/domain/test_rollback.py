"""Where a rollback may go, and what its evidence proves."""

from itertools import combinations

import pytest

from bot.domain.rollback import (
    ENDED,
    NEXT_STATES,
    RUNNING,
    IllegalMove,
    Proof,
    RollbackState,
    Verdict,
    moved,
    outcome,
)
from tests.values import ALL_PROVEN, NOON, a_rollback, evidence, seconds

MOVES = [(a, b) for a in RollbackState for b in RollbackState]
LEGAL = [(a, b) for a, b in MOVES if b in NEXT_STATES.get(a, frozenset())]
ILLEGAL = [move for move in MOVES if move not in LEGAL]
LATER = NOON + seconds(30)


@pytest.mark.parametrize(("current", "wanted"), LEGAL)
def test_a_legal_move_is_made_and_stamped(current: RollbackState, wanted: RollbackState) -> None:
    there = moved(a_rollback(current), wanted, at=LATER)

    assert there.state is wanted
    assert (there.ended_at == LATER) == (wanted in ENDED)
    stamps = {
        RollbackState.REQUESTED: there.requested_at,
        RollbackState.APPLIED: there.applied_at,
        RollbackState.SETTLED: there.settled_at,
    }
    assert {state for state, at in stamps.items() if at is not None} == {wanted} & set(stamps)


@pytest.mark.parametrize(("current", "wanted"), ILLEGAL)
def test_an_illegal_move_is_refused(current: RollbackState, wanted: RollbackState) -> None:
    with pytest.raises(IllegalMove) as refused:
        moved(a_rollback(current), wanted, at=LATER)

    assert (refused.value.current, refused.value.wanted) == (current, wanted)


def test_every_state_is_asked_running_or_an_end() -> None:
    assert {RollbackState.ASKED} | RUNNING | ENDED == set(RollbackState)
    assert not RUNNING & ENDED


@pytest.mark.parametrize("end", sorted(ENDED))
def test_nothing_follows_an_end(end: RollbackState) -> None:
    assert end not in NEXT_STATES


@pytest.mark.parametrize("running", sorted(RUNNING))
def test_every_running_rollback_can_still_end(running: RollbackState) -> None:
    assert NEXT_STATES[running] & ENDED


def test_verified_is_reached_from_settled_alone() -> None:
    before = {state for state, following in NEXT_STATES.items() if RollbackState.VERIFIED in following}

    assert before == {RollbackState.SETTLED}


def test_all_proofs_together_verify() -> None:
    assert outcome(ALL_PROVEN) is RollbackState.VERIFIED


@pytest.mark.parametrize("present", [c for n in range(len(Proof)) for c in combinations(Proof, n)])
def test_with_a_proof_missing_nothing_is_verified(present: tuple[Proof, ...]) -> None:
    assert outcome(tuple(evidence(p) for p in present)) is RollbackState.NOT_VERIFIED


@pytest.mark.parametrize("proof", list(Proof))
@pytest.mark.parametrize("verdict", [Verdict.DISPROVEN, Verdict.INCONCLUSIVE])
def test_one_proof_that_is_not_proven_is_enough_not_to_verify(proof: Proof, verdict: Verdict) -> None:
    found = tuple(evidence(p, verdict if p is proof else Verdict.PROVEN) for p in Proof)

    assert outcome(found) is RollbackState.NOT_VERIFIED
