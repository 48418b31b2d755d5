"""Reads a playbook as it is written, and finds what its models cannot see: wrong references, keys used
twice, phases that overlap, units that look like others, rules that contradict each other.

It reads plain values that may be wrong in any way, so that one mistake never hides another.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from bot.domain.guide import Mode, Situation, WatchPlan
from bot.domain.playbook import Permission, Playbook, Thresholds

#: No number of a playbook comes near; what does is refused by the models.
_LARGEST = 1e15
#: Where in a playbook: keys and positions (from 0), from the outside in.
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Complaint:
    """One thing wrong at `place`, with what to write instead.

    `lacks` is set for a reference that leads nowhere: the section where the thing would stand, and
    what is not there.
    """

    place: Place
    sentence: str
    lacks: tuple[str, str] | None = None


@dataclass(frozen=True)
class Spot:
    """One place that may hold anything; reading on from it never fails."""

    value: Any
    place: Place = ()

    def at(self, key: str) -> "Spot":
        """Return the place below `key`, an empty one when there is none."""
        held = self.value.get(key) if isinstance(self.value, Mapping) else None
        return Spot(held, (*self.place, key))

    def rows(self) -> list["Spot"]:
        """Return the places of a list, none when it is no list."""
        held = self.value if isinstance(self.value, list) else ()
        return [Spot(row, (*self.place, number)) for number, row in enumerate(held)]

    def entries(self) -> dict[str, "Spot"]:
        """Return the places of a mapping by key, none when it is no mapping."""
        return {key: self.at(key) for key in self.value} if isinstance(self.value, Mapping) else {}

    @property
    def text(self) -> str | None:
        """The text that stands here, if one does."""
        return self.value if isinstance(self.value, str) else None

    @property
    def number(self) -> float | None:
        """The number that stands here, if one does; neither infinite nor NaN."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            return None
        return self.value if abs(self.value) < _LARGEST else None


def proofread(plain: Mapping[str, Any], *, templates: Mapping[str, Collection[str]]) -> list[Complaint]:
    """Return every complaint about a playbook.

    Args:
        plain: the whole playbook, of JSON's values, right or wrong.
        templates: file names of the templates there are, by language.
    """
    whole = Spot(plain)
    return [complaint for check in _CHECKS for complaint in check(whole)] + [*_templates(whole, templates)]


def nearest(wrong: str, known: Collection[str]) -> str:
    """Return the end of a sentence about `wrong`: the nearest thing known, else all of them."""
    if near := get_close_matches(wrong, known, n=1):
        return f"; did you mean {near[0]!r}?"
    return f"; write one of {', '.join(sorted(known))}" if known else ""


# References.


def _lost(
    spot: Spot, what: str, known: Collection[str], *, section: str | None = None
) -> Iterator[Complaint]:
    if spot.text is not None and spot.text not in known:
        sentence = f"there is no {what} {spot.text!r}"
        lacks = (section, f"{what} {spot.text!r}") if section else None
        way_out = nearest(spot.text, known) or (f": write it under '{section}'" if section else ": remove it")
        yield Complaint(spot.place, f"{sentence}{way_out}", lacks)


def _references(whole: Spot) -> Iterator[Complaint]:
    contacts, notices, links = (set(whole.at(name).entries()) for name in ("contacts", "notices", "links"))
    for step in _steps(whole):
        yield from _lost(step.at("owner"), "contact", contacts, section="contacts")
        yield from _lost(step.at("link"), "link", links, section="links")
    for scenario in whole.at("scenarios").rows():
        for plan in scenario.at("follow_ups").rows():
            yield from _lost(plan.at("owner"), "contact", contacts, section="contacts")
        for deed in (*scenario.at("actions").rows(), *scenario.at("clock").rows()):
            yield from _lost(deed.at("notice"), "notice", notices, section="notices")
            yield from _lost(deed.at("link"), "link", links, section="links")
        yield from _leads(scenario)
    for contact in whole.at("contacts").entries().values():
        yield from _lost(contact.at("then"), "contact", contacts, section="contacts")


def _leads(scenario: Spot) -> Iterator[Complaint]:
    """Answers lead to later questions and to what this scenario has."""
    questions = scenario.at("questions").rows()
    doable = _keys(scenario.at("actions").rows()) | _keys(scenario.at("options").rows())
    for number, question in enumerate(questions):
        later = _keys(questions[number + 1 :])
        for answer in question.at("answers").rows():
            yield from _lost(answer.at("next"), "later question", later)
            for suggested in answer.at("suggests").rows():
                yield from _lost(suggested, "action or option of this scenario", doable)


#: What a button needs in order to do what it says. In the clock and in options only some things fit.
_NEEDS = {"logs": "filter", "tell": "notice", "link": "link"}
_FITS_NOT = {"clock": ("logs", "link"), "options": ("logs", "link", "tell")}


def _deeds(whole: Spot) -> Iterator[Complaint]:
    for scenario in whole.at("scenarios").rows():
        actions, clock = scenario.at("actions"), scenario.at("clock")
        if not actions.value and not clock.value:
            yield Complaint(actions.place, "write what to do at once here, or under 'clock'")
        for part in (actions, clock, scenario.at("options")):
            for deed in part.rows():
                yield from _deed(deed, _FITS_NOT.get(str(part.place[-1]), ()))


def _deed(deed: Spot, unfit: Collection[str]) -> Iterator[Complaint]:
    does = deed.at("does")
    needed = _NEEDS.get(does.text or "")
    if does.text in unfit:
        yield Complaint(does.place, f"{does.text} is not possible here: write it as one of 'actions'")
    elif needed and deed.at(needed).value is None:
        yield Complaint(does.place, f"{does.text} needs '{needed}': write '{needed}: …' beside it")


def _escalation(whole: Spot) -> Iterator[Complaint]:
    contacts = whole.at("contacts").entries()
    after = {key: contact.at("then").text for key, contact in contacts.items()}
    told: set[str] = set()
    for first in after:
        chain: list[str] = []
        key: str | None = first
        while key in after and key not in chain:
            chain.append(key)
            key = after[key]
        if key in chain and told.isdisjoint(chain):
            circle = [*chain[chain.index(key) :], key]
            told.update(circle)
            said = f"the escalation goes in a circle ({' → '.join(circle)}): let the last one have no 'then'"
            yield Complaint(contacts[circle[-2]].at("then").place, said)


def _templates(whole: Spot, templates: Mapping[str, Collection[str]]) -> Iterator[Complaint]:
    for notice in whole.at("notices").entries().values():
        template = notice.at("template")
        for language, files in templates.items():
            if template.text is not None and template.text.endswith(".md") and template.text not in files:
                said = f"there is no templates/{language}/{template.text}{nearest(template.text, files)}"
                yield Complaint(template.place, said)


# What the bot answers by itself.


def _machine_answers(whole: Spot) -> Iterator[Complaint]:
    for scenario in whole.at("scenarios").rows():
        for question in scenario.at("questions").rows():
            yield from _machine_answer(question)


def _machine_answer(question: Spot) -> Iterator[Complaint]:
    """A question that the bot finds an answer to has one for "it is so" and one for "it is not"."""
    finds, answers = question.at("finds"), question.at("answers").rows()
    told = [answer.at("when") for answer in answers if answer.at("when").value is not None]
    if finds.value is None:
        said = "only where the question 'finds' something: write 'finds' there, or remove it"
        yield from (Complaint(spot.place, said) for spot in told)
        return
    for wanted in (True, False):
        word = f"'when: {str(wanted).lower()}'"
        same = [spot for spot in told if spot.value is wanted]
        if not same:
            said = f"no answer has {word}: write it beside the one that the bot gives then"
            yield Complaint(finds.place, said)
        for spot in same[1:]:
            yield Complaint(spot.place, f"only one answer can have {word}: remove it here")


# Keys that are used twice.


def _keys(rows: Iterable[Spot]) -> set[str]:
    return {key for row in rows if (key := row.at("key").text) is not None}


def _twice(rows: Iterable[Spot], field: str, what: str) -> Iterator[Complaint]:
    seen: dict[Any, Place] = {}
    for row in rows:
        spot = row.at(field)
        value = spot.text if spot.text is not None else spot.number
        if value in seen:
            first = in_words(seen[value])
            yield Complaint(spot.place, f"{what} {value!r} is used already, by {first}: write another")
        elif value is not None:
            seen[value] = row.place


def _used_twice(whole: Spot) -> Iterator[Complaint]:
    scenarios = whole.at("scenarios").rows()
    yield from _twice(scenarios, "key", "the key")
    yield from _twice(scenarios, "number", "the number")
    for scenario in scenarios:
        yield from _used_twice_within(scenario)
    yield from _twice(whole.at("rules").rows(), "when", "the situation")
    yield from _twice(whole.at("checklist").rows(), "key", "the key")
    yield from _twice(_steps(whole), "key", "the key")
    yield from _twice(whole.at("readiness").rows(), "key", "the key")
    for part in ("evidence", "review"):
        yield from _twice(whole.at("analysis").at(part).rows(), "key", "the key")
    yield from _twice(whole.at("analysis").at("evidence").rows(), "file", "the name")


def _used_twice_within(scenario: Spot) -> Iterator[Complaint]:
    questions, clock = scenario.at("questions").rows(), scenario.at("clock").rows()
    # An answer suggests actions and options by key, so they share their keys.
    yield from _twice([*scenario.at("actions").rows(), *scenario.at("options").rows()], "key", "the key")
    yield from _twice(clock, "key", "the key")
    yield from _twice([s for step in clock for s in step.at("steps").rows()], "key", "the key")
    yield from _twice(scenario.at("follow_ups").rows(), "key", "the key")
    yield from _twice(questions, "key", "the key")
    for question in (*questions, scenario.at("before_rollback")):
        yield from _twice(question.at("answers").rows(), "key", "the key")
    recommended = [o.at("recommended") for o in scenario.at("options").rows()]
    for spot in [spot for spot in recommended if spot.value is True][1:]:
        yield Complaint(spot.place, "only one option can be the recommended one: remove it here")


# Order.


def _steps(whole: Spot) -> list[Spot]:
    return [step for phase in whole.at("checklist").rows() for step in phase.at("steps").rows()]


def _order(whole: Spot) -> Iterator[Complaint]:
    phases, scenarios = whole.at("checklist").rows(), whole.at("scenarios").rows()
    for span in [*phases, *(scenario.at("recovery") for scenario in scenarios)]:
        begins, ends = span.at("from_minutes").number, span.at("to_minutes")
        if begins is not None and ends.number is not None and ends.number <= begins:
            yield Complaint(ends.place, f"to_minutes must be greater than from_minutes ({begins:g})")
    for before, phase in pairwise(phases):
        over, next = before.at("to_minutes").number, phase.at("from_minutes")
        if over is not None and next.number is not None and next.number < over:
            said = (
                f"begins at minute {next.number:g}, but the phase before it ends at {over:g}: "
                f"write {over:g}, or put the phases in order"
            )
            yield Complaint(next.place, said)
    for before, step in [pair for scenario in scenarios for pair in pairwise(scenario.at("clock").rows())]:
        earlier, at = before.at("at_minutes").number, step.at("at_minutes")
        if earlier is not None and at.number is not None and at.number <= earlier:
            said = f"minute {at.number:g} does not come after {earlier:g}: put the steps in order"
            yield Complaint(at.place, said)


# Placeholders.

LINK_PLACEHOLDERS = frozenset({"project", "region", "service", "canary"})
FILTER_PLACEHOLDERS = frozenset({"canary"})


def _placeholders(whole: Spot) -> Iterator[Complaint]:
    for link in whole.at("links").entries().values():
        url = link.at("url")
        yield from _unknown_placeholders(url, LINK_PLACEHOLDERS)
        if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", url.text or "")):
            yield Complaint(url.place, "a brace that belongs to no placeholder: write %7B or %7D")
    filters = [a.at("filter") for s in whole.at("scenarios").rows() for a in s.at("actions").rows()]
    filters += [e.at("filter") for e in whole.at("analysis").at("evidence").rows()]
    for filter in filters:
        yield from _unknown_placeholders(filter, FILTER_PLACEHOLDERS)


def _unknown_placeholders(spot: Spot, known: frozenset[str]) -> Iterator[Complaint]:
    # Digits in braces repeat something in a regular expression.
    for name in re.findall(r"\{([^{}]*)\}", spot.text or ""):
        if name not in known and not re.fullmatch(r"\d*,?\d*", name):
            choice = nearest(f"{{{name}}}", [f"{{{one}}}" for one in sorted(known)])
            yield Complaint(spot.place, f"{{{name}}} is no placeholder{choice}")


# Units.

#: Below these a percentage is probably a ratio: nobody calls 0.05 % of errors, or 1 % of memory, red.
_RED_ERRORS_ABOVE_PERCENT, _CALM_ERRORS_ABOVE_PERCENT, _LOAD_ABOVE_PERCENT = 0.05, 0.01, 1.01
#: Below this many milliseconds a P95 is probably in seconds, above that many in microseconds.
_P95_ABOVE_MS, _P95_BELOW_MS = 5, 60_000
#: More than one false alarm in ten deployments, or a deployment of more than a month, is not meant so.
_LARGEST_RISK, _LONGEST_DEPLOYMENT_HOURS = 0.1, 720


def _units(whole: Spot) -> Iterator[Complaint]:
    thresholds, proof = whole.at("thresholds"), whole.at("verification")
    errors, p95 = thresholds.at("error_rate_percent"), thresholds.at("p95_ms")
    yield from _percentage(errors.at("red_above"), ratio_below=_RED_ERRORS_ABOVE_PERCENT)
    yield from _percentage(errors.at("yellow_above"), ratio_below=_CALM_ERRORS_ABOVE_PERCENT)
    yield from _percentage(proof.at("error_rate_below_percent"), ratio_below=_CALM_ERRORS_ABOVE_PERCENT)
    for load in (thresholds.at("memory_percent"), thresholds.at("cpu_percent")):
        for limit in (load.at("yellow_above"), load.at("red_above")):
            yield from _percentage(limit, ratio_below=_LOAD_ABOVE_PERCENT)
    for limit in (p95.at("yellow_above"), p95.at("red_above"), proof.at("p95_below_ms")):
        if limit.number is not None and 0 < limit.number < _P95_ABOVE_MS:
            said = f"{limit.number:g} ms looks like seconds: write {limit.number * 1000:g} for milliseconds"
            yield Complaint(limit.place, said)
        if limit.number is not None and limit.number > _P95_BELOW_MS:
            said = (
                f"{limit.number:g} ms looks like microseconds: write {limit.number / 1000:g} for milliseconds"
            )
            yield Complaint(limit.place, said)
    yield from _watch_units(whole.at("watch"))


def _watch_units(watch: Spot) -> Iterator[Complaint]:
    for name, longest in (("reading_seconds", 600), ("longest_reading_seconds", 3600)):
        length = watch.at(name)
        if length.number is not None and length.number > longest:
            said = f"{length.number:g} s looks like milliseconds: write {length.number / 1000:g} for seconds"
            yield Complaint(length.place, said)
    early = watch.at("early_warning")
    risk, hours = early.at("false_alarms_per_deployment"), early.at("deployment_hours")
    if risk.number is not None and risk.number > _LARGEST_RISK:
        said = (
            f"{risk.number:g} looks like a percentage: write {risk.number / 100:g} for {risk.number:g} % of "
            "healthy deployments"
        )
        yield Complaint(risk.place, said)
    if hours.number is not None and hours.number > _LONGEST_DEPLOYMENT_HOURS:
        said = f"{hours.number:g} h looks like minutes: write {hours.number / 60:g} for hours"
        yield Complaint(hours.place, said)


def _percentage(spot: Spot, *, ratio_below: float) -> Iterator[Complaint]:
    number = spot.number
    if number is not None and number > 100:
        yield Complaint(spot.place, f"{number:g} is a percentage: write a number up to 100")
    if number is not None and 0 < number < ratio_below:
        said = f"{number:g} looks like a ratio: write {number * 100:g} for {number * 100:g} %"
        yield Complaint(spot.place, said)


# Contradictions.

#: What the models take where nothing is written.
_DEFAULTS = WatchPlan()
#: Why a rule cannot be carried out by the bot itself.
_NEVER_AUTO = {
    Situation.DATA_LOSS.value: "no machine sees lost data, people report it: write recommend",
    Situation.ERROR_RATE_ONCE.value: "one reading is no reason to roll back: write tell, or let the rule "
    "error_rate_in_a_row be auto",
}


def _contradictions(whole: Spot) -> Iterator[Complaint]:
    for rule in whole.at("rules").rows():
        why = _NEVER_AUTO.get(rule.at("when").text or "")
        if why and rule.at("mode").value == Mode.AUTO.value:
            yield Complaint(rule.at("mode").place, why)
    watch, least = whole.at("watch"), whole.at("thresholds").at("min_requests").number
    enough = Thresholds().min_requests if least is None else least
    errors = watch.at("min_errors")
    if errors.number is not None and errors.number > enough:
        said = (
            f"a reading of {enough:g} requests never has {errors.number:g} errors, so it could not be red: "
            f"write at most {enough:g}, or raise thresholds.min_requests"
        )
        yield Complaint(errors.place, said)
    yield from _not_more_than(
        watch, "reading_seconds", "longest_reading_seconds", "the longest reading is shorter"
    )
    yield from _not_more_than(
        watch, "most_automatic_per_hour", "most_automatic_per_day", "there are fewer in a whole day"
    )


def _not_more_than(watch: Spot, less: str, more: str, but: str) -> Iterator[Complaint]:
    """`less` and `more` may be equal; the complaint stands where something is written."""
    lower, upper = watch.at(less), watch.at(more)
    low = lower.number if lower.number is not None else getattr(_DEFAULTS, less)
    high = upper.number if upper.number is not None else getattr(_DEFAULTS, more)
    if low > high:
        written = lower if lower.number is not None else upper
        yield Complaint(written.place, f"{less} is {low:g}, but {but} ({more}: {high:g}): change one of them")


_CHECKS: tuple[Callable[[Spot], Iterator[Complaint]], ...] = (
    _references,
    _deeds,
    _escalation,
    _machine_answers,
    _used_twice,
    _order,
    _placeholders,
    _units,
    _contradictions,
)


def in_words(place: Place) -> str:
    """Return a place as people read it: ``scenarios.2.name``."""
    return ".".join(str(part) for part in place)


# Not wrong, but worth a second look.


def remarks(playbook: Playbook) -> list[Complaint]:
    """Return what a team should know about a playbook that can be used, in no order."""
    found = [*_empty_slots(playbook), *_missing_parts(playbook), *_unasked_questions(playbook)]
    if not playbook.people_with(Permission.ROLL_BACK) and not playbook.groups_with(Permission.ROLL_BACK):
        found.append(Complaint(("roles",), "nobody may roll back yet: write users or groups who may"))
    for key, link in playbook.links.items():
        if re.match(r"https://[^/]*\bexample\.(com|org|net)\b", link.url):
            found.append(Complaint(("links", key, "url"), "still the example: write your own address"))
    return found


def _empty_slots(playbook: Playbook) -> Iterator[Complaint]:
    for key, contact in playbook.contacts.items():
        if not contact.name:
            yield Complaint(
                ("contacts", key), "an empty slot ([TBD]): write who it is, and how to reach them"
            )
        elif not contact.reachable:
            said = "nobody can be reached: write channel, user, group or phone"
            yield Complaint(("contacts", key), said)


def _missing_parts(playbook: Playbook) -> Iterator[Complaint]:
    for part in ("scenarios", "checklist", "contacts", "rules", "notices", "readiness"):
        if not getattr(playbook, part):
            said = "there are none; write 'based_on: phase4-canary' to take over the guide's"
            yield Complaint((part,), said)


def _unasked_questions(playbook: Playbook) -> Iterator[Complaint]:
    for row, scenario in enumerate(playbook.scenarios):
        led_to = {answer.next for question in scenario.questions for answer in question.answers}
        for number, question in enumerate(scenario.questions):
            if number and question.key not in led_to:
                place = ("scenarios", row, "questions", number)
                yield Complaint(place, "no answer leads here: write it as 'next' of one")
