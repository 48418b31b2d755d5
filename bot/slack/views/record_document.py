"""The failure record as the parts of a document, for printing."""

from datetime import datetime
from typing import Any

from bot.domain.document import Bullets, Document, Grid, Heading, Image, Paragraph, Piece
from bot.domain.record import Record
from bot.slack.text import Markup, Words
from bot.slack.views.record_values import record_heading, record_values


def record_document(record: Record, words: Words, *, picture: bytes | None, name: str) -> Document:
    """Return the record as a document.

    Args:
        words: in the style `bot.slack.text.PLAIN`.
        picture: a PNG, None where there is none.
        name: what the footer calls it, such as ``INC-12, edition 3``.
    """
    values = record_values(record, words)
    say = words.plain
    title = say("[{heading}] Deployment failure record", heading=record_heading(record, words))
    pieces: list[Piece] = [
        Heading(text=title, level=1),
        _facts(values, words),
        Heading(text=say("Symptoms")),
        _symptoms(values, words),
        Heading(text=say("Cause (analysed afterwards)")),
        _bullets([values["cause"], *values["found"]], words),
        Heading(text=say("Effect")),
        _bullets(
            [
                words.say("Users affected: {users}", users=values["users"]),
                words.say("Data loss: {loss}", loss=values["data_loss"]),
                words.say("Service down: {down}", down=values["down"]),
            ],
            words,
        ),
        Heading(text=say("Actions")),
        _bullets(values["actions"], words),
        Heading(text=say("Improvements")),
        _bullets([values["improvements"]], words),
        # It fills most of a page: whoever reads only the first one has read what matters.
        *_picture(picture, words),
        Heading(text=say("How long it took")),
        _bullets([words.say("{name}: {took}", **one) for one in values["times"]], words),
        Heading(text=say("Decisions")),
        _bullets(values["decisions"], words),
        Heading(text=say("Proof of the rollback")),
        _bullets(values["evidence"], words),
        *_checklist(values["checklist"], words),
        *_exhibits(values["exhibits"], words),
        Heading(text=say("Timeline")),
        _bullets(values["timeline"], words),
        Paragraph(text=_foot(values, words), quiet=True),
    ]
    return Document(
        title=title,
        language=words.locale,
        at=_dated(record),
        footer=name,
        pieces=tuple(pieces),
    )


def _dated(record: Record) -> datetime:
    """The newest thing it tells dates it: the same record has the same date, whenever it is printed."""
    return max((entry.at for entry in record.timeline), default=record.occurred_at)


def _facts(values: dict[str, Any], words: Words) -> Grid:
    rows = (
        (words.plain("Occurred"), values["occurred"]),
        (words.plain("Failure type"), values["failure_type"]),
        (words.plain("Severity"), values["severity"]),
        (words.plain("Detected"), values["detected"]),
        (words.plain("Rollback took"), f"{values['took']} ({values['outcome']})"),
    )
    heads = (words.plain("Incident"), f"{values['label']} ({values['target']})")
    return Grid(heads=heads, rows=tuple((name, str(told)) for name, told in rows), widths=(1, 3))


def _symptoms(values: dict[str, Any], words: Words) -> Piece:
    if not values["symptoms"]:
        return _bullets([], words)
    heads = ("", words.plain("Before"), words.plain("At its worst"), words.plain("After the rollback"))
    rows = tuple(
        (str(one["metric"]), *(_cell(one[name], one[f"{name}_from"]) for name in ("before", "peak", "after")))
        for one in values["symptoms"]
    )
    return Grid(heads=heads, rows=rows, widths=(1.2, 1.6, 1.6, 1.6))


def _cell(value: Markup, origin: Markup) -> str:
    return f"{value}\n{origin}" if origin else str(value)


def _picture(picture: bytes | None, words: Words) -> list[Piece]:
    if picture is None:
        return []
    return [Image(png=picture, caption=words.plain("Canary and stable around the deployment"))]


def _checklist(phases: list[dict[str, Any]], words: Words) -> list[Piece]:
    if not phases:
        return []
    heads = (words.plain("Step"), words.plain("State"), words.plain("By whom"))
    found: list[Piece] = [Heading(text=words.plain("Checklist"))]
    for phase in phases:
        rows = tuple((str(s["title"]), str(s["state"]), str(s["told"])) for s in phase["steps"])
        found += [
            Heading(text=str(phase["phase"]), level=3),
            Grid(heads=heads, rows=rows, widths=(2.4, 0.8, 2.8)),
        ]
    return found


def _exhibits(exhibits: list[dict[str, Any]], words: Words) -> list[Piece]:
    heading = Heading(text=words.plain("Files of evidence"))
    if not exhibits:
        return [heading, _bullets([], words)]
    heads = (words.plain("File"), words.plain("Content"), "SHA-256")
    rows = tuple((str(e["name"]), f"{e['what']}\n{e['source']}", str(e["sha256"])) for e in exhibits)
    return [heading, Grid(heads=heads, rows=rows, widths=(1.6, 2.2, 2.2))]


def _foot(values: dict[str, Any], words: Words) -> str:
    return words.say(
        "Completed by: {who} · Playbook: {playbook} · Timeline: {lines} lines, head (SHA-256): {head}",
        who=values["completed_by"],
        playbook=values["playbook"],
        lines=values["lines"],
        head=values["head"],
    )


def _bullets(lines: list[Markup], words: Words) -> Bullets:
    return Bullets(lines=tuple(map(str, lines)) or (words.plain("none"),))
