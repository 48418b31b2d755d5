"""``/incident list`` and ``/incident show``: short texts for one reader."""

from collections.abc import Sequence

from bot.domain.ids import incident_label
from bot.domain.incident import Incident, IncidentState
from bot.domain.timeline import Entry
from bot.slack.text import Markup, Words
from bot.slack.views.incident_words import failure_name, severity_name
from bot.slack.views.timeline import entry_line

#: Newest lines of a timeline that ``/incident show`` shows; the record's file holds all of it.
LINES_SHOWN = 15


def incident_list_text(incidents: Sequence[Incident], words: Words) -> str:
    """Return the newest incidents, a line each."""
    if not incidents:
        return words.say("There is no incident yet.")
    return "\n".join(incident_line(incident, words) for incident in incidents)


def incident_line(incident: Incident, words: Words) -> Markup:
    """Return one incident in a line."""
    state = words.say("open") if incident.state is IncidentState.OPEN else words.say("closed")
    return words.say(
        "{label} · {target} · {failure} · {severity} · {state} · {at}",
        label=words.bold(incident_label(incident.number)),
        target=incident.target,
        failure=failure_name(incident.failure_type, words),
        severity=severity_name(incident.severity, words),
        state=state,
        at=words.moment(incident.opened_at),
    )


def incident_text(incident: Incident, entries: Sequence[Entry], words: Words) -> str:
    """Return an incident with the newest lines of its timeline."""
    lines: list[str] = [incident_line(incident, words)]
    if len(entries) > LINES_SHOWN:
        lines.append(words.say("… {count} earlier lines …", count=len(entries) - LINES_SHOWN))
    lines += [entry_line(entry, words) for entry in entries[-LINES_SHOWN:]]
    return "\n".join(lines)
