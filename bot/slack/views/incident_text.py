"""An incident in a line, and the question which one is meant: short texts for one reader."""

from collections.abc import Sequence

from bot.domain.ids import incident_label
from bot.domain.incident import Incident, IncidentState
from bot.slack.commands import which_one
from bot.slack.text import Markup, Words
from bot.slack.views.drill_marks import marked_if
from bot.slack.views.incident_words import failure_name, severity_name


def incident_line(incident: Incident, words: Words) -> Markup:
    """Return one incident in a line."""
    state = words.say("open") if incident.state is IncidentState.OPEN else words.say("closed")
    line = words.say(
        "{label} · {target} · {failure} · {severity} · {state} · {at}",
        label=words.bold(incident_label(incident.number)),
        target=incident.target,
        failure=failure_name(incident.failure_type, words),
        severity=severity_name(incident.severity, words),
        state=state,
        at=words.moment(incident.opened_at),
    )
    return marked_if(incident.drill, line, words)


def which_incident_text(verb: str, open_ones: Sequence[Incident], words: Words) -> str:
    """Ask which incident is meant, where none or more than one is open."""
    if not open_ones:
        listed = words.say(
            "No incident is open; {command} shows them all.", command=words.code("/incident list")
        )
        return words.say("{question} {listed}", question=Markup(which_one(verb, words)), listed=listed)
    named = ", ".join(f"{incident_label(incident.number)} ({incident.target})" for incident in open_ones)
    return words.say(
        ":x: Which one? These are open: {named}. Write its number, such as {example}.",
        named=named,
        example=words.code(f"/incident {verb} {open_ones[0].number}"),
    )
