"""Adding to an incident's timeline what people say, when it happened, and what was wrong in it."""

from pydantic import TypeAdapter

from bot.domain.timeline import Event, incident_chain
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import Said, Written

_WRITTEN = TypeAdapter(Written)


def _note(doing: Doing) -> Reply | None:
    if "message" in doing.act.words:
        return _add(doing, _WRITTEN.validate_json(doing.act.words["message"]))
    facts = {"text": doing.act.words["text"]}
    if doing.act.words.get("happened_at"):
        facts["happened_at"] = doing.act.words["happened_at"]
    doing.write(Event.NOTED, **facts)
    return None


def _add(doing: Doing, message: Written) -> Reply | None:
    """Add a message, the same one once, whoever adds it and however."""
    key = f"message:{message.channel}:{message.ts}"
    if any(entry.key == key for entry in doing.tx.timeline(incident_chain(doing.incident.number))):
        return None if doing.act.words["quiet"] else Reply(what=Said.NOTED_BEFORE)
    facts = {
        "text": message.text, "author": message.author, "link": message.link,
        "files": [list(file) for file in message.files], "channel": message.channel, "ts": message.ts,
        "happened_at": message.at.isoformat(),
    }  # fmt: skip
    line = Line(event=Event.MESSAGE_ADDED, key=key, actor=doing.act.person, facts=facts)
    write_lines(doing.tx, doing.incident.number, [line], at=doing.at, channel=doing.channel)
    if doing.act.words["quiet"]:
        return None
    return Reply(what=Said.NOTED, facts={"redacted": message.redacted})


def _correct(doing: Doing) -> Reply | None:
    """Write a new row that names the wrong one; nothing is ever taken away."""
    wanted = int(doing.act.words["line"])
    entries = doing.tx.timeline(incident_chain(doing.incident.number))
    wrong = next((entry for entry in entries if entry.sequence == wanted), None)
    if wrong is None:
        return Reply(what=Said.NO_SUCH_LINE)
    # A correction of a correction stands beside the line that both are about.
    corrects = wrong.facts["corrects"] if wrong.event is Event.CORRECTED else wanted
    doing.write(Event.CORRECTED, corrects=corrects, text=doing.act.words["text"])
    return None


NOTE = Deed(do=_note, when_closed=True)
CORRECT = Deed(do=_correct, when_closed=True)
