"""What a recorded series came to: when each rule would have fired, what the modes would have done, and
what was wrong with the file."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from bot.domain.alarm import Level
from bot.domain.guide import Mode
from bot.domain.playbook import Playbook
from bot.domain.recorded import BadSeries, NoSeries, Oddity, Recorded, Remark
from bot.domain.replay import Fired, LeftOut, Replayed
from bot.slack.text import N_, Words
from bot.slack.views.alarm_words import rule_sentence, what_happens
from bot.slack.views.bad_input_words import bad_input_text
from bot.slack.views.pages import Heading, Paragraph, Piece, Table, listed
from bot.slack.views.watch_text import mode_text

#: At which levels a rule's times are shown.
_LEVELS = (Level.TELL, Level.RECOMMEND, Level.ACT)
#: Of remarks that say the same, so many lines are named.
_LINES_NAMED = 6

_ODDITIES: Mapping[Oddity, str] = {
    Oddity.UNREADABLE_TIME: N_("no time that can be read ({found}): write 2026-03-02T12:00:10Z; left out"),
    Oddity.NO_ZONE: N_("a time without a zone ({found}), taken as UTC: write 2026-03-02T12:00:10Z"),
    Oddity.TWICE: N_("the same window as in line {first}: left out"),
    Oddity.LATE: N_("comes too late ({found}), after newer lines: left out"),
    Oddity.FUTURE: N_("a time ahead of the lines after it ({found}), a clock that is wrong: left out"),
    Oddity.GAP: N_("{seconds} s without any line since line {first}: nothing is concluded about them"),
    Oddity.COUNTER_RESET: N_("the counter begins anew ({before} → {found}): counted from nothing"),
    Oddity.COUNTERS_FOUND: N_(
        "the counts only rise: taken as counters, and their differences judged (otherwise say "
        "--no-cumulative)"
    ),
    Oddity.NOT_A_NUMBER: N_("{column} is {found}: it says nothing, leave the cell empty"),
    Oddity.NO_NUMBER: N_(
        "{column} is no number that can be ({found}): leave it empty where nothing is known"
    ),
    Oddity.NEGATIVE: N_("{column} is below zero ({found}): left out"),
    Oddity.FRACTION: N_(
        "{column} is no whole number ({found}): write counts of the window, not a rate or a share"
    ),
    Oddity.MORE_ERRORS: N_("{errors} errors of {requests} requests cannot be: the window is left out"),
    Oddity.MORE_LATENCIES: N_("{timed} latencies of {requests} requests cannot be: latencies are left out"),
    Oddity.RATIO: N_(
        "{column} looks like a ratio ({found}): write {write} for percent; the column is left out"
    ),
    Oddity.BYTES: N_(
        "{column} looks like bytes ({found}): write percent of the limit, 0 to 100; the column is left out"
    ),
    Oddity.SECONDS: N_(
        "{column} looks like seconds ({found}): write {write} for milliseconds; the column is left out"
    ),
    Oddity.BOUNDS_IN_SECONDS: N_(
        "column {column} looks like seconds: name it {write} for milliseconds; latencies are left out"
    ),
    Oddity.BAD_LATENCIES: N_(
        "latencies cannot be read ({column}: {found}): write upper bound and count, such as 110:45 600:3"
    ),
    Oddity.NO_SIDE: N_("no side ({found}): write canary or stable; left out"),
    Oddity.TOO_MANY_CELLS: N_("{found} cells, but {write} columns: left out"),
    Oddity.UNKNOWN_COLUMN: N_("column {column} is not used"),
    Oddity.GUESSED_CANARY: N_(
        "the canary is taken to be {canary}, with fewer requests: otherwise say --canary"
    ),
    Oddity.NO_STABLE: N_("there is no stable side: rollbacks are recommended, and never by the bot itself"),
    Oddity.STABLE_MISSING: N_("windows without a line of stable, from here on: {count}"),
    Oddity.DISAPPEARED: N_(
        "the last line of {canary}; stable goes on ({count} windows): nothing is concluded about the canary"
    ),
}

_UNUSABLE: Mapping[NoSeries, str] = {
    NoSeries.NO_FILE: N_("{file} cannot be read: {problem}."),
    NoSeries.TOO_LARGE: N_("{file} is too large: cut it to one deployment."),
    NoSeries.NOT_TEXT: N_("{file} is no text: save it as CSV or JSON in UTF-8."),
    NoSeries.EMPTY: N_("{file} is empty."),
    NoSeries.BAD_JSON: N_("Line {line} is no JSON object: write an array of objects, or one object a line."),
    NoSeries.NO_TIME: N_("{file} has no column 'time': write when each window ended."),
    NoSeries.NO_COUNTS: N_(
        "{file} has no columns 'requests' and 'errors': write how many there were in each window."
    ),
    NoSeries.NO_ROWS: N_("{file} holds no line that can be used."),
    NoSeries.WHICH_CANARY: N_(
        "There are several revisions ({known}): say which is the canary, --canary NAME."
    ),
    NoSeries.UNKNOWN_CANARY: N_("There is no line of the canary ({canary}): say --canary NAME."),
    NoSeries.NO_STEP: N_("There are no two windows of an hour or less after each other."),
}


def unusable_text(bad: BadSeries, words: Words) -> str:
    """Return why a file cannot be used, and what to do."""
    return words.plain(_UNUSABLE[bad.why], **{"canary": "", "known": ""} | bad.facts)


def replay_text(
    recorded: Recorded, found: Replayed, playbook: Playbook, words: Words, *, file: str
) -> list[Piece]:
    """Return all of it: the file, the rules that would have fired, what would have been done, remarks."""
    return [
        *_about(recorded, found, words, file=file),
        *_rules(found, playbook, words),
        *_done(found, playbook, words),
        *_remarks(recorded.remarks, found.left_out, words),
    ]


def _about(recorded: Recorded, found: Replayed, words: Words, *, file: str) -> Iterator[Piece]:
    yield Heading(1, words.plain("Replay of {file}", file=file))
    facts = [
        words.plain("Canary: {canary}", canary=", ".join(found.revisions)),
        words.plain("Windows: {count} of {step:g} s", count=found.observations, step=recorded.step_seconds),
        words.plain(
            "Requests of the canary: {requests}, of them failed: {errors}",
            requests=found.requests,
            errors=found.errors,
        ),
        words.plain(
            "Readings of the guide's rule: {count}, red {red}, inconclusive {grey}",
            count=found.readings,
            red=found.red,
            grey=found.inconclusive,
        ),
    ]
    if found.since is not None and found.until is not None:
        facts.insert(
            1,
            words.plain(
                "From {since} to {until}", since=words.moment(found.since), until=words.moment(found.until)
            ),
        )
    if found.unread:
        facts.append(
            words.plain("Windows in which nothing of the canary is known: {count}", count=found.unread)
        )
    yield listed(facts)


def _rules(found: Replayed, playbook: Playbook, words: Words) -> Iterator[Piece]:
    yield Heading(2, words.plain("When each rule would have fired"))
    if not found.fired:
        yield Paragraph(words.plain("No rule would have fired."))
        return
    head = [
        words.plain("Rule"),
        words.plain("Told"),
        words.plain("Recommended"),
        words.plain("Sure enough to act"),
    ]
    head += [words.plain("Times"), words.plain("What Backout does")]
    yield Table(head, [_rule(one, found, words) for one in found.fired])
    for one in found.fired:
        alarm = one.alarms[0]
        said = rule_sentence(
            one.kind, alarm.facts, words, canary=alarm.revision, at=alarm.at, thresholds=playbook.thresholds
        )
        yield Paragraph(f"{_when(alarm.at, found, words)}: {said}")


def _rule(one: Fired, found: Replayed, words: Words) -> list[str]:
    times = [_when(one.first[level], found, words) if level in one.first else "" for level in _LEVELS]
    what = what_happens(one.kind, one.alarms[0].facts, words)
    return [what, *times, str(one.count), mode_text(one.way.mode, one.way.stop_seconds, words)]


def _when(at: datetime, found: Replayed, words: Words) -> str:
    """The time of day, and how long after the series began."""
    if found.since is None:
        return words.clock(at)
    return words.plain(
        "{time} (after {length})",
        time=words.clock(at),
        length=words.duration(max(at - found.since, timedelta())),
    )


def _done(found: Replayed, playbook: Playbook, words: Words) -> Iterator[Piece]:
    yield Heading(2, words.plain("What would have been done"))
    acts, could, at, announced = found.acts, found.could_act, found.acts_at(), found.announced_at()
    if acts is not None and at is not None and announced is not None:
        yield Paragraph(
            words.plain(
                "Armed: rolled back by itself at {when}, {seconds} s after it was announced ({what}). "
                "Not armed: recommended.",
                when=_when(at, found, words),
                seconds=round((at - announced).total_seconds()),
                what=what_happens(acts.kind, acts.alarms[0].facts, words),
            )
        )
    elif could is not None:
        yield Paragraph(
            words.plain(
                "Recommended only. In mode auto and armed it would have been rolled back by itself, "
                "from {when} on ({what}).",
                when=_when(could.first[Level.ACT], found, words),
                what=what_happens(could.kind, could.alarms[0].facts, words),
            )
        )
    elif _asks(found, Level.RECOMMEND):
        yield Paragraph(words.plain("Recommended only: it never was sure enough to act by itself."))
    elif found.fired:
        yield Paragraph(words.plain("Told only."))
    else:
        yield Paragraph(words.plain("Nothing."))


def _asks(found: Replayed, level: Level) -> bool:
    return any(level in one.first and one.way.mode is not Mode.TELL for one in found.fired)


def _remarks(remarks: Iterable[Remark], left_out: Iterable[LeftOut], words: Words) -> Iterator[Piece]:
    said = [_remark(sentence, lines, words) for sentence, lines in _together(remarks, words)]
    said += [
        words.plain("left out: {why}, {count} times", why=bad_input_text(one.why, words), count=one.count)
        for one in left_out
    ]
    if said:
        yield Heading(2, words.plain("What is odd about the file"))
        yield listed(said)


def _together(remarks: Iterable[Remark], words: Words) -> Iterator[tuple[str, list[int]]]:
    """Remarks of one kind and column, with all their lines; the first of them gives the sentence."""

    def kind(remark: Remark) -> tuple[int, str]:
        return list(Oddity).index(remark.oddity), str(remark.facts.get("column", ""))

    for _, group in groupby(sorted(remarks, key=kind), key=kind):
        same = list(group)
        yield _sentence(same[0], words), [remark.line for remark in same if remark.line is not None]


def _sentence(remark: Remark, words: Words) -> str:
    facts: dict[str, Any] = {"canary": "", "column": ""} | dict(remark.facts)
    return words.plain(_ODDITIES[remark.oddity], **facts)


def _remark(sentence: str, lines: list[int], words: Words) -> str:
    if not lines:
        return sentence
    named = ", ".join(str(line) for line in lines[:_LINES_NAMED])
    if len(lines) == 1:
        return words.plain("line {line}: {sentence}", line=named, sentence=sentence)
    if len(lines) > _LINES_NAMED:
        more = len(lines) - _LINES_NAMED
        return words.plain(
            "lines {lines} and {more} more: {sentence}", lines=named, more=more, sentence=sentence
        )
    return words.plain("lines {lines}: {sentence}", lines=named, sentence=sentence)
