"""``/canary status``: who serves, the flags, and what is going on."""

from bot.domain.flags import flags
from bot.domain.ids import incident_label
from bot.domain.playbook import Playbook
from bot.domain.status import Postponed, Status
from bot.domain.watch import WatchSource
from bot.slack.text import Markup, Words
from bot.slack.views.incident_words import outcome_name
from bot.slack.views.numbers import age, reading_line
from bot.slack.views.parts import SECTION_LIMIT, context, fit, header, section
from bot.slack.views.rollback_message import Message
from bot.slack.views.watch_words import source_title

#: A target that fails this often has other worries than a long message.
MOST_POSTPONED = 20
#: As much of a title as a line shows; an escaped character may take five.
TITLE_SHOWN = 300
#: As much of a source's own words as a line shows.
PROBLEM_SHOWN = 300


def status_message(status: Status, playbook: Playbook, words: Words) -> Message:
    """Render a status as it was read."""
    title = words.plain("Status of {target}", target=status.target)
    paragraphs = status_paragraphs(status, playbook, words)
    return Message(
        text=fit("\n".join([title, *paragraphs]), SECTION_LIMIT),
        blocks=[header(title), *(section(p) for p in paragraphs), context(read_when(status, words))],
    )


def read_when(status: Status, words: Words) -> Markup:
    """Say when it was read; of what the watch knew, how old that is."""
    if status.seen_at is None:
        return words.say("Read at {at}.", at=words.clock(status.read_at))
    return words.say(
        "From the watch, whose newest number is {age}. Cloud Run was not asked again.",
        age=age(status.read_at - status.seen_at, words),
    )


def silent_lines(status: Status, words: Words) -> list[Markup]:
    """Name every source that the watch cannot read: what it would have said is not known."""
    return [
        words.say(
            ":warning: {source} cannot be read: {why}",
            source=source_title(WatchSource(name), words),
            why=why[:PROBLEM_SHOWN],
        )
        for name, why in status.silent
    ]


def status_paragraphs(status: Status, playbook: Playbook, words: Words) -> list[Markup]:
    """Return what a status says, paragraph by paragraph, for any medium."""
    found = [_traffic(status, words)]
    coloured = flags(
        status.readings, playbook.thresholds, now=status.read_at, min_errors=playbook.watch.min_errors
    )
    if coloured:
        found.append(Markup("\n".join(reading_line(f, words, now=status.read_at) for f in coloured)))
    found += silent_lines(status, words)
    found.append(_going_on(status, words))
    found += [_postponed(line, words) for line in status.postponed[:MOST_POSTPONED]]
    return found


def _postponed(line: Postponed, words: Words) -> Markup:
    """Say that the next deployment should wait; it is for people to heed."""
    return words.say(
        ":no_entry: The next deployment is postponed: {title} ({label}), since {at}, {who}. It blocks "
        "nothing; {command} ends it.",
        title=words.bold(fit(line.titles.get(words.locale) or line.titles.get("en") or "", TITLE_SHOWN)),
        label=incident_label(line.incident),
        at=words.moment(line.since),
        who=words.person(line.owner) if line.owner else words.say("nobody yet"),
        command=words.code(f"/incident followups {line.incident}"),
    )


def _traffic(status: Status, words: Words) -> Markup:
    if status.problem is not None:
        return words.say("Cloud Run could not be read: {why}", why=status.problem[:1000])
    lines = [
        words.say(
            "{percent} % → {name}{role}",
            percent=line.percent,
            name=words.code(line.name),
            role=_role(line.role, words),
        )
        for line in status.serving
    ]
    if status.seen_at is not None:
        return Markup("\n".join(lines))
    settled = (
        words.say("Settled; last changed by {who}.", who=status.last_modifier)
        if status.settled
        else words.say("Cloud Run is still applying a change by {who}.", who=status.last_modifier)
    )
    return Markup("\n".join([*lines, settled]))


def _role(role: str, words: Words) -> Markup:
    if not role:
        return Markup("")
    return words.say(" ({role})", role=words.say("canary") if role == "canary" else words.say("stable"))


def _going_on(status: Status, words: Words) -> Markup:
    lines = []
    if status.incident is not None:
        lines.append(words.say("Open incident: {label}", label=words.bold(incident_label(status.incident))))
    else:
        lines.append(words.say("No open incident."))
    if status.rollback is not None:
        lines.append(
            words.say(
                "Last rollback: {outcome}, by {who}, {at}",
                outcome=words.bold(outcome_name(status.rollback.state, words)),
                who=words.person(status.rollback.by),
                at=words.moment(status.rollback.at),
            )
        )
    return Markup("\n".join(lines))
