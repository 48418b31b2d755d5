"""What watching costs: processor time and memory of judging many targets, over simulated hours."""

import gc
import time
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import psutil

from bench.decisions import from_log
from bench.traffic import Setting, deployment
from bot.domain.judge import JudgeState, judge
from bot.domain.observation import Gauges, Observation, Probed
from bot.domain.playbook import Playbook


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Processor time as a share of one core, and the process's memory after an hour and at the end, bytes."""

    core_share: float
    resident_first: int
    resident_last: int


def cost_of_judging(playbook: Playbook, *, targets: int, hours: int, seed: int) -> Cost:
    """Judge everything `targets` watches see in so many simulated hours, one process, hour by hour."""
    states = [JudgeState() for _ in range(targets)]
    process, spent = psutil.Process(), 0.0
    resident: list[int] = []
    for hour in range(hours):
        seen = _an_hour(np.random.default_rng([seed, hour]), hour)
        began = time.process_time()
        for number in range(targets):
            for observation in seen:
                states[number] = judge(states[number], observation, playbook).state
        spent += time.process_time() - began
        del seen, observation
        gc.collect()
        resident.append(process.memory_info().rss)
    return Cost(
        core_share=spent / (hours * 3600),
        resident_first=resident[0],
        resident_last=resident[-1],
    )


def _an_hour(chance: np.random.Generator, hour: int) -> list[Observation]:
    """One hour of buckets, a probe with each and a minute's gauges with every sixth."""
    busy = deployment(Setting(per_second=90, share=0.05), chance, seconds=3600)
    shift = timedelta(hours=hour)
    return [
        _with_the_rest(replace(one, since=one.since + shift, until=one.until + shift), number, chance)
        for number, (_, one) in enumerate(from_log(busy))
    ]


def _with_the_rest(one: Observation, number: int, chance: np.random.Generator) -> Observation:
    probed = Probed(at=one.until, canary_well=True, stable_well=True)
    if number % 6:
        return replace(one, probed=probed)
    memory, cpu = chance.uniform(50, 60), chance.uniform(20, 40)
    gauges = Gauges(until=one.until, memory=memory, memory_median=memory, cpu=cpu, instances=4)
    return replace(one, probed=probed, canary_gauges=gauges, stable_gauges=gauges)
