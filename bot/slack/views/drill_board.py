"""A drill's scoreboard: how fast the team was, by the guide's minutes and by its own last drills."""

from collections.abc import Iterator
from datetime import timedelta

from bot.domain.drill import Limit, Milestone, Result, Said, Score, Scoreboard
from bot.domain.ids import incident_label
from bot.slack.text import Markup, Words
from bot.slack.views.pages import Heading, Paragraph, Piece, Table, listed
from bot.slack.views.parts import Block, context, header, section
from bot.slack.views.plain_text import unmarked
from bot.slack.views.rollback_message import Message

_LAMPS = {
    Result.IN_TIME: ":white_check_mark:",
    Result.UNLIMITED: ":white_check_mark:",
    Result.LATE: ":warning:",
    Result.MISSED: ":x:",
    Result.NOT_ASKED_FOR: ":white_circle:",
}


def scoreboard_message(board: Scoreboard, words: Words) -> Message:
    """Render the scoreboard: the result first, then each milestone, and what to do better."""
    title, result = _title(board, words), _result(board, words)
    blocks: list[Block] = [
        header(title),
        section(result),
        section("\n".join(f"{_LAMPS[one.result]} {_line(one, words)}" for one in board.scores)),
    ]
    better = [words.say("• {advice}", advice=line) for line in _better(board, words)]
    if better:
        blocks.append(section("\n".join([words.say("*What to do better*"), *better])))
    compared = list(_compared(board, words))
    if compared:
        blocks.append(section("\n".join([_compared_title(board, words), *compared])))
    blocks.append(context(*_small_print(board, words)))
    return Message(text=words.say("{title}. {result}", title=title, result=result), blocks=blocks)


def scoreboard_text(board: Scoreboard, words: Words) -> list[Piece]:
    """Return the scoreboard for a terminal."""
    times = words.plain("Best"), words.plain("Median"), words.plain("Last")
    head = (words.plain("Milestone"), words.plain("After"), words.plain("Guide"), words.plain("Result"))
    rows = [
        (
            milestone_name(one.milestone, words),
            _took(one.reached, words),
            unmarked(_allowed(one.limit, words)) if one.result is not Result.NOT_ASKED_FOR else "-",
            unmarked(_verdict(one, words)),
            *(_took(value, words) for value in (one.best, one.median, one.last)),
        )
        for one in board.scores
    ]
    pieces: list[Piece] = [
        Heading(1, _title(board, words)),
        Paragraph(unmarked(_result(board, words)), strong=True),
        Table((*head, *times), rows),
    ]
    better = [unmarked(line) for line in _better(board, words)]
    if better:
        pieces += [Heading(2, words.plain("What to do better")), listed(better)]
    return [*pieces, *(Paragraph(unmarked(line)) for line in _small_print(board, words))]


def milestone_name(milestone: Milestone, words: Words) -> str:
    """Return what a milestone is called."""
    return {
        Milestone.DETECTED: words.plain("Detected"),
        Milestone.DECIDED: words.plain("Decided"),
        Milestone.ROLLED_BACK: words.plain("Rolled back"),
        Milestone.VERIFIED: words.plain("Verified"),
        Milestone.USERS_TOLD: words.plain("Users told"),
        Milestone.RECORD_COMPLETE: words.plain("Record complete"),
    }[milestone]


def _title(board: Scoreboard, words: Words) -> str:
    name = board.scenario.get(words.locale) or board.scenario.get("en") or board.drill.scenario
    return words.plain("Drill over: {scenario}", scenario=name)


def _result(board: Scoreboard, words: Words) -> Markup:
    text = words.say(
        "*{good} of {all} within the guide's minutes* on {target}",
        good=board.good,
        all=len(board.asked_for),
        target=board.drill.target,
    )
    if board.drill.incident is None:
        return text
    return words.say("{text} · {label}", text=text, label=incident_label(board.drill.incident))


def _line(score: Score, words: Words) -> Markup:
    name = words.bold(milestone_name(score.milestone, words))
    verdict = _verdict(score, words)
    if score.result is Result.NOT_ASKED_FOR:
        return words.say("{name}: {verdict}", name=name, verdict=verdict)
    allowed = _allowed(score.limit, words)
    if score.reached is None:
        return words.say("{name}: {verdict} (guide: {allowed})", name=name, verdict=verdict, allowed=allowed)
    return words.say(
        "{name}: {took}, {verdict} (guide: {allowed})",
        name=name,
        took=words.bold(_took(score.reached, words)),
        verdict=verdict,
        allowed=allowed,
    )


def _verdict(score: Score, words: Words) -> Markup:
    if score.result is Result.LATE:
        assert score.took is not None
        assert score.limit is not None
        over = timedelta(seconds=score.took - score.limit.minutes * 60)
        # Less than a second is late as well, and "0 s" would look like a mistake of ours.
        return words.say("too late by {length}", length=words.duration(max(over, timedelta(seconds=1))))
    return {
        Result.IN_TIME: words.say("in time"),
        Result.UNLIMITED: words.say("done"),
        Result.MISSED: words.say("not reached"),
        Result.NOT_ASKED_FOR: words.say("not asked for here"),
    }[score.result]


def _allowed(limit: Limit | None, words: Words) -> Markup:
    """Return the playbook's minutes, and what they are counted from."""
    if limit is None:
        return words.say("no limit")
    length = words.say("{minutes:g} min", minutes=limit.minutes)
    if limit.since is None:
        return words.say("{length} after the failure", length=length)
    if limit.since is Milestone.DETECTED:
        return words.say("{length} after detection", length=length)
    return words.say("{length} after the decision", length=length)


def _took(seconds: float | None, words: Words) -> str:
    return "-" if seconds is None else str(words.duration(timedelta(seconds=seconds)))


def _better(board: Scoreboard, words: Words) -> list[Markup]:
    return [_advice(one.milestone, board, words) for one in board.to_improve]


def _advice(milestone: Milestone, board: Scoreboard, words: Words) -> Markup:
    """Return one line on what would have been faster."""
    target = board.drill.target
    return {
        Milestone.DETECTED: words.say(
            "Watch every deployment: {command}; whoever hears of it first declares it.",
            command=words.code(f"/canary watch {target}"),
        ),
        Milestone.DECIDED: words.say(
            "Do not wait for the cause: a red canary is reason enough. Armed automatics decide in seconds."
        ),
        Milestone.ROLLED_BACK: words.say(
            "Everybody knows this by heart: {command}", command=words.code(f"/rollback {target} force")
        ),
        Milestone.VERIFIED: words.say(
            "Stay until the verdict: the rollback's card names what is not proven yet."
        ),
        Milestone.USERS_TOLD: words.say(
            "Tell users before everything is known: {command} has the text ready.",
            command=words.code("/incident update"),
        ),
        Milestone.RECORD_COMPLETE: words.say(
            "Fill in the record while it is fresh: its button stands below the record."
        ),
    }[milestone]


def _compared_title(board: Scoreboard, words: Words) -> Markup:
    return words.say("*Your last drills of this* ({count}): best · median · last", count=board.compared)


def _compared(board: Scoreboard, words: Words) -> Iterator[Markup]:
    for one in board.scores:
        if one.best is not None:
            yield words.say(
                "{name}: {best} · {middle} · {newest}",
                name=milestone_name(one.milestone, words),
                best=_took(one.best, words),
                middle=_took(one.median, words),
                newest=_took(one.last, words),
            )


def _small_print(board: Scoreboard, words: Words) -> list[Markup]:
    told = [
        words.say("{name}: {source}", name=milestone_name(one.milestone, words), source=source)
        for one in board.asked_for
        if (source := _source(one.limit, words))
    ]
    return [
        words.say("Times are counted from when the failure was switched on."),
        words.say("Where the playbook says so: {sources}", sources=Markup("; ".join(told))),
    ]


def _source(limit: Limit | None, words: Words) -> Markup | None:
    if limit is None:
        return None
    title = limit.title.get(words.locale) or limit.title.get("en") or ""
    return {
        Said.CHECK: words.say("how often a deployment is looked at"),
        Said.PHASE: words.say("checklist, {title}", title=title),
        Said.RECOVERY: words.say("the scenario's expected recovery"),
        Said.CLOCK: words.say("the scenario's clock, {title}", title=title),
        Said.ACTION: words.say("the scenario's action, {title}", title=title),
    }[limit.said]
