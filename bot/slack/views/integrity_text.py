"""What a verification of an incident came to, in words."""

from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.integrity import Checked, Flaw, Found
from bot.slack.text import Markup, Words


def integrity_text(checked: Checked, number: IncidentNumber, words: Words) -> list[Markup]:
    """Return one line for the outcome, one for each flaw, and what nothing can be said of."""
    label = incident_label(number)
    if checked.whole:
        lines = [
            words.say(
                "{label} is as it was written: {lines} lines, {rows} stored values, {files} files.",
                label=label,
                lines=checked.lines,
                rows=checked.rows,
                files=checked.files,
            )
        ]
    else:
        lines = [
            words.say(
                "{label} is *not* as it was written: {count} flaws.", label=label, count=len(checked.flaws)
            )
        ]
    lines += [words.say("• {flaw}", flaw=_flaw(found, words)) for found in checked.flaws]
    if checked.dropped:
        lines.append(
            words.say("{count} files were taken away when their time was over.", count=checked.dropped)
        )
    if checked.unsealed:
        names = ", ".join(checked.unsealed)
        lines.append(
            words.say("Changed by rights since the last record, or never sealed: {names}", names=names)
        )
    lines.append(words.say("Timeline head {hash}", hash=words.code(checked.head)))
    return lines


def _flaw(found: Found, words: Words) -> Markup:
    said = {
        Flaw.LINE_CHANGED: words.say("the timeline breaks at {what}", what=found.what),
        Flaw.HEAD_LOST: words.say("the timeline does not contain the head {what}", what=found.what),
        Flaw.LENGTH_DIFFERS: words.say(
            "the timeline and its head do not agree: {detail} lines", detail=found.detail
        ),
        Flaw.ROW_CHANGED: words.say(
            "{what} was changed since {detail}", what=found.what, detail=found.detail
        ),
        Flaw.ROW_MISSING: words.say(
            "{what} is gone; {detail} sealed it", what=found.what, detail=found.detail
        ),
        Flaw.ROW_UNKNOWN: words.say("no line of the timeline knows {what}", what=found.what),
        Flaw.FILE_CHANGED: words.say(
            "the file {what} is not what was kept: {detail}", what=found.what, detail=found.detail
        ),
        Flaw.FILE_MISSING: words.say("the file {what} is gone", what=found.what),
        Flaw.FILE_UNREADABLE: words.say(
            "the file {what} cannot be read: {detail}", what=found.what, detail=found.detail
        ),
    }
    return said[found.flaw]
