"""A canary that answers nothing: seen by probes, by failures in a row, or by requests that never came.

Source: guide, "service down"; reference/detection.md, "Down" and "Silence".
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bot.domain.alarm import AlarmKind, Found, Level
from bot.domain.detection import OUTAGE_FAILURES, OUTAGE_SECONDS, STABLE_FAILS_AT_MOST, Run
from bot.domain.guide import Situation
from bot.domain.judge_state import JudgeState
from bot.domain.observation import Observation, Probed
from bot.domain.playbook import Playbook
from bot.domain.readings import Source

#: So many probes in a row fail, the first of them so long ago: "three failures 5 s apart".
PROBE_FAILURES, PROBE_SECONDS = 3, 10.0


def found_in_probe(state: JudgeState, playbook: Playbook) -> Iterator[Found]:
    """Yield what the newest probe says; a canary whose users are answered is not down."""
    probed = state.probed
    if probed is None or probed.canary_well is not False or not playbook.rule(Situation.SERVICE_DOWN):
        return
    if probed.canary_failures < PROBE_FAILURES or probed.apart_seconds < PROBE_SECONDS:
        return
    facts = _facts(probed.at, Source.PROBE, probed) | {"seconds": round(probed.apart_seconds, 1)}
    failing_since = probed.at - timedelta(seconds=probed.apart_seconds)
    if probed.stable_well is False:
        yield Found(AlarmKind.SHARED, Level.TELL, probed.at, facts)
    elif state.good_since is not None and state.good_since >= failing_since:
        facts["answers_requests"] = True
        yield Found(AlarmKind.SERVICE_DOWN, Level.TELL, probed.at, facts)
    else:
        # A health address that never answered may just be a wrong one: then users' requests have to fail too.
        proven = probed.stable_well is True and (state.was_well or state.outage.count > 0)
        yield Found(AlarmKind.SERVICE_DOWN, Level.ACT if proven else Level.RECOMMEND, probed.at, facts)


def found_in_outage(
    state: JudgeState, seen: Observation, playbook: Playbook, *, outage: bool, silence: bool
) -> Iterator[Found]:
    """Yield what failures in a row say, and missing requests, where they are an `outage`, a `silence`."""
    long = state.outage.count >= OUTAGE_FAILURES and state.outage.seconds >= OUTAGE_SECONDS
    if not (long or outage or silence) or playbook.rule(Situation.SERVICE_DOWN) is None:
        return
    if outage or long:
        yield _in_a_row(state.outage, seen, state.probed, outage=outage)
    probed = state.probed
    if not silence or probed is None or probed.canary_well is not False:
        return
    if abs((probed.at - seen.until).total_seconds()) <= playbook.thresholds.stale_after_seconds:
        yield _silent(state.silence, seen, probed)


def _in_a_row(run: Run, seen: Observation, probed: Probed | None, *, outage: bool) -> Found:
    facts = _facts(seen.until, seen.source, probed) | {
        "failures": round(run.count),
        "seconds": round(run.seconds, 1),
        "stable_requests": run.stable_requests,
    }
    if outage:
        return Found(AlarmKind.SERVICE_DOWN, Level.ACT, seen.until, facts)
    if not run.stable_requests:
        facts["no_baseline"] = True
        return Found(AlarmKind.SERVICE_DOWN, Level.RECOMMEND, seen.until, facts)
    facts["stable_is_bad"] = round(run.stable_bad / run.stable_requests, 4)
    return Found(AlarmKind.SHARED, Level.TELL, seen.until, facts)


def _silent(run: Run, seen: Observation, probed: Probed) -> Found:
    facts = _facts(seen.until, seen.source, probed) | {
        "missing": round(run.count),
        "seconds": round(run.seconds, 1),
        "stable_requests": run.stable_requests,
    }
    if probed.stable_well is False or run.stable_bad > STABLE_FAILS_AT_MOST * run.stable_requests:
        return Found(AlarmKind.SHARED, Level.TELL, seen.until, facts)
    level = Level.ACT if probed.stable_well else Level.RECOMMEND
    return Found(AlarmKind.SERVICE_DOWN, level, seen.until, facts)


def _facts(until: datetime, source: Source, probed: Probed | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"metric": "probe", "source": source.value, "until": until.isoformat()}
    if probed is not None:
        facts |= {"failures": probed.canary_failures, "stable_well": probed.stable_well}
        if probed.problem:
            facts["problem"] = probed.problem
    return facts


def is_over(state: JudgeState, seen: Observation) -> bool:
    """Return True where nothing says any more that the canary is down, and something says that it is not."""
    if state.outage.count or state.silence.seconds:
        return False
    probed = state.probed
    failing = probed is not None and probed.canary_well is False
    answers = seen.canary is not None and seen.canary.requests > seen.canary.errors
    return not failing and (answers or (probed is not None and probed.canary_well is True))
