"""`make bench-detection`: how fast every rule sees a bad canary, and how often it blames a healthy one.

Prints a table for each setting, then our own figures beside those that are wanted. Numbers of one run with
one seed; nothing here is a test, and nothing is measured with a clock except what watching costs.
"""

import argparse
import math
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from bench.contest import NOT_FOR_A_DAY, Case, Fired, Rule, contest
from bench.cost import Cost, cost_of_judging
from bench.traffic import Setting, Trouble
from bench.turns import TurnCost, cost_of_turns
from bot.adapters.playbook_file import DEFAULT, read_playbook
from bot.domain.detection import at_least
from bot.domain.playbook import Playbook

THIN = Setting(per_second=90, share=0.05)
BUSY = Setting(per_second=1000, share=0.1)
TROUBLES = (Trouble.ERRORS_5, Trouble.ERRORS_2, Trouble.DOWN)
#: The study's false automatic rollbacks in so many healthy days; ours may not be more.
STUDYS_FALSE, STUDYS_DAYS = 12, 4000
#: More than wanted, but fewer runs than the study's: it counts as missed where chance is no explanation.
CHANCE = 0.05
TARGETS, TURN_MINUTES = 50, 6
#: Memory that grew by less than this over a day is flat: the interpreter's own lists breathe.
FLAT_BYTES = 4 * 1024 * 1024

#: When a rule fired in each deployment; None: never.
Times = Sequence[float | None]
#: What fired when in all deployments of a setting and a trouble, with or without blips.
Found = Mapping[tuple[Setting, Trouble, bool], Sequence[Fired]]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure that is wanted, and what it came to."""

    what: str
    wanted: str
    found: str
    verdict: str


def main() -> None:
    """Read the options, run everything, print."""
    options = _options()
    playbook = read_playbook(DEFAULT)
    found = _contested(list(_cases(options)), playbook, processes=options.processes)
    _say(f"  what judging costs: {TARGETS} targets, 24 simulated hours")
    judging = cost_of_judging(playbook, targets=TARGETS, hours=24, seed=options.seed)
    _say(f"  what whole turns cost: {TARGETS} targets, {TURN_MINUTES} simulated minutes")
    turns = cost_of_turns(playbook, targets=TARGETS, minutes=TURN_MINUTES, parts=2)
    _say(f"  what whole turns hold: 1 target, {options.hours} simulated hours")
    lasting = cost_of_turns(playbook, targets=1, minutes=options.hours * 60, parts=max(2, options.hours))
    for setting in (THIN, BUSY):
        _print_table(setting, {trouble: found[setting, trouble, True] for trouble in Trouble})
    accepted = playbook.watch.early_warning.false_alarms_per_deployment
    print("\nThe peers read the request log, 2 to 10 s old; who follows the guide reads Cloud Monitoring.")
    _print_figures(
        [*_speed_figures(found), *_false_figures(found, accepted), *_costs(judging, turns, lasting)]
    )


def _contested(cases: Sequence[Case], playbook: Playbook, *, processes: int) -> Found:
    """Run every case, as many at once as there are processes; the order changes nothing."""
    found = defaultdict[tuple[Setting, Trouble, bool], list[Fired]](list)
    began, tenth = time.monotonic(), max(1, len(cases) // 10)
    _say(f"{len(cases)} deployments in {processes} processes")
    with ProcessPoolExecutor(processes) as pool:
        fired = pool.map(partial(contest, playbook=playbook), cases, chunksize=4)
        for number, (case, when) in enumerate(zip(cases, fired, strict=True), 1):
            found[case.setting, case.trouble, case.blips].append(when)
            if number % tenth == 0:
                _say(f"  {number} of {len(cases)} after {time.monotonic() - began:.0f} s")
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-detection", description=__doc__)
    parser.add_argument("--bad", type=int, default=150, help="deployments for each trouble (150)")
    parser.add_argument("--healthy", type=int, default=200, help="healthy days of each kind (200)")
    parser.add_argument("--full", action="store_true", help="as the study: 2000, 4000 and 24 hours")
    parser.add_argument("--seed", type=int, default=4, help="for the random numbers (4)")
    parser.add_argument("--hours", type=int, default=4, help="simulated hours of one target's turns (4)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="one for each core")
    options = parser.parse_args()
    if options.full:
        options.bad, options.healthy, options.hours = 2000, STUDYS_DAYS, 24
    return options


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    for setting in (THIN, BUSY):
        for trouble in TROUBLES:
            for number in range(options.bad):
                yield Case(setting=setting, trouble=trouble, seed=options.seed, number=number)
        # False alarms are rarest, and so need most days, where a canary's traffic is thin.
        for number in range(options.healthy if setting is THIN else options.healthy // 5):
            yield Case(setting=setting, trouble=Trouble.NONE, seed=options.seed, number=number)
    for number in range(options.healthy):
        yield Case(setting=THIN, trouble=Trouble.NONE, seed=options.seed, number=number, blips=False)


# What it came to.


def quantile(times: Times, share: float) -> float:
    """Return the time by which this share of them had fired; infinite where fewer ever did.

    A rule that fired before there was any trouble was wrong, not fast: such runs are left out.
    """
    ordered = sorted(math.inf if at is None else at for at in times if at is None or at >= 0)
    if not ordered:
        return math.nan
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def false_alarms(times: Times) -> int:
    """Return in how many healthy deployments it fired."""
    return sum(at is not None for at in times)


def _times(fired: Sequence[Fired], rule: Rule) -> Times:
    return [one[rule] for one in fired]


def _median(fired: Sequence[Fired], rule: Rule) -> float:
    return quantile(_times(fired, rule), 0.5)


def _speed_figures(found: Found) -> Iterator[Figure]:
    for rule, busy_limit, thin_limit in (
        (Rule.RECOMMENDED, 50, 85),
        (Rule.ACTED, 110, 125),
        (Rule.SENT, 110, 125),
    ):
        for setting, limit in ((BUSY, busy_limit), (THIN, thin_limit)):
            median = _median(found[setting, Trouble.ERRORS_5, True], rule)
            yield _within(f"5 % errors, {_pace(setting)}: {rule}", median, limit)
    for rule, trouble, limit in (
        (Rule.MONITORING_ALONE, Trouble.ERRORS_5, 360),
        (Rule.ACTED, Trouble.DOWN, 35),
    ):
        for setting in (BUSY, THIN):
            median = _median(found[setting, trouble, True], rule)
            yield _within(f"{trouble}, {_pace(setting)}: {rule}", median, limit)


def _pace(setting: Setting) -> str:
    return f"{setting.canary_per_second:g} a second"


def _false_figures(found: Found, accepted: float) -> Iterator[Figure]:
    healthy = _times(found[THIN, Trouble.NONE, True], Rule.ACTED)
    yield _rarely("false automatic rollbacks, healthy days", healthy, STUDYS_FALSE / STUDYS_DAYS)
    bounded = _times(found[THIN, Trouble.NONE, False], Rule.ACTED)
    yield _rarely("the same, never above 0.5 % errors: the stated bound", bounded, accepted)


def _costs(judging: Cost, turns: TurnCost, lasting: TurnCost) -> Iterator[Figure]:
    yield _share(f"judging {TARGETS} targets, share of a core", judging.core_share)
    yield _share(f"whole turns of {TARGETS} targets on SQLite, share of a core", turns.core_share)
    for what, first, last in (
        (f"memory after a day of judging {TARGETS} targets", judging.resident_first, judging.resident_last),
        ("memory after hours of one target's turns", lasting.resident_first, lasting.resident_last),
    ):
        yield Figure(
            what=what,
            wanted="flat",
            found=f"{(last - first) / 1024 / 1024:+.1f} MiB",
            verdict="ok" if last - first < FLAT_BYTES else "missed",
        )


def _share(what: str, share: float) -> Figure:
    return Figure(what=what, wanted="< 5 %", found=f"{share:.2%}", verdict="ok" if share < 0.05 else "missed")


def _within(what: str, median: float, limit: float) -> Figure:
    verdict = "ok" if median <= limit else "missed"
    return Figure(what=what, wanted=f"<= {limit:g} s", found=f"{median:.0f} s", verdict=verdict)


def _rarely(what: str, times: Times, accepted: float) -> Figure:
    wrong, days = false_alarms(times), len(times)
    if wrong <= accepted * days:
        verdict = "ok"
    else:
        likely = at_least(wrong, days, accepted) > CHANCE
        verdict = "ok (more by chance)" if likely and days < STUDYS_DAYS else "missed"
    wanted = f"<= {accepted * days:.2g} in {days}"
    return Figure(what=what, wanted=wanted, found=f"{wrong} in {days}", verdict=verdict)


# Printing.


def _print_table(setting: Setting, found: Mapping[Trouble, Sequence[Fired]]) -> None:
    healthy = found[Trouble.NONE]
    print(f"\n{setting}: seconds from onset to verdict, median (95th percentile)")
    heads = [*TROUBLES, f"false in {len(healthy)} days", "times as long as ours"]
    print(f"{'':58}", *(f"{head:>18}" for head in heads))
    for rule in Rule:
        cells = [_speed(_times(found[trouble], rule)) for trouble in TROUBLES]
        cells.append("-" if rule in NOT_FOR_A_DAY else str(false_alarms(_times(healthy, rule))))
        cells.append(f"{_ratio(found[Trouble.ERRORS_5], rule):.1f}")
        print(f"{rule:58}", *(f"{cell:>18}" for cell in cells))


def _speed(times: Times) -> str:
    return f"{_seconds(quantile(times, 0.5))} ({_seconds(quantile(times, 0.95))})"


def _seconds(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else "never"


def _ratio(fired: Sequence[Fired], rule: Rule) -> float:
    return _median(fired, rule) / _median(fired, Rule.ACTED)


def _print_figures(figures: Iterable[Figure]) -> None:
    print(f"\n{'':84} {'wanted':>16} {'found':>12}")
    for figure in figures:
        print(f"{figure.what:84} {figure.wanted:>16} {figure.found:>12}  {figure.verdict}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
