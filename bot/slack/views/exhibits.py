"""Files of evidence as people see them: under the board, on it, and in a list of their own."""

from collections.abc import Sequence
from typing import Any

from bot.domain.exhibit import Exhibit, Moment
from bot.domain.ids import incident_label
from bot.domain.incident import Incident, IncidentState
from bot.domain.taking import Taking, evidence_only
from bot.slack.ids import ActionId, CallbackId
from bot.slack.modal_memory import remember
from bot.slack.text import Markup, Words, clean
from bot.slack.views.evidence_lines import exhibit_kind_name, size_words
from bot.slack.views.incident_text import incident_line
from bot.slack.views.modals import modal
from bot.slack.views.parts import Block, actions, button, context, fit, pieces, section
from bot.slack.views.rollback_message import Message

#: Takings listed on the board, and blocks in the list: Slack takes 100 in a modal.
ON_BOARD, IN_LIST = 3, 95
#: So much of a hash tells two files apart; the whole of it stands in the record.
SHORT_HASH = 12
LONGEST_SOURCE, LONGEST_PROBLEM, LONGEST_COMMENT = 300, 300, 3900


def evidence_comment(taking: Taking, absent: Sequence[str], words: Words) -> Markup:
    """Return what the message with the files says.

    Args:
        absent: names of files that were kept, and cannot be got at present or any more.
    """
    lines = [
        words.say(
            ":file_folder: *Evidence*, {moment}, {at}: {files}. Hashes and sources: {command}",
            moment=moment_name(taking.moment, words),
            at=words.clock(taking.at),
            files=_summed(taking, words),
            command=words.code(f"/incident evidence {_number(taking)}"),
        )
    ]
    lines += [_missing(exhibit, words) for exhibit in taking.missing]
    lines += [
        words.say(":warning: {file} is not here: its content cannot be got.", file=words.code(name))
        for name in absent
    ]
    return Markup(fit("\n".join(lines), LONGEST_COMMENT))


def evidence_message(taking: Taking, absent: Sequence[str], words: Words) -> Message:
    """Render a taking of which no file can be uploaded."""
    text = evidence_comment(taking, absent, words)
    return Message(text=text, blocks=[section(piece) for piece in pieces(text)])


def file_title(exhibit: Exhibit, words: Words) -> str:
    """Return a file's title in Slack, plain text."""
    what = exhibit_kind_name(exhibit.kind, Words(locale=words.locale))
    label = incident_label(exhibit.incident)
    return words.plain("{label}: {what}, SHA-256 {hash}…", label=label, what=what, hash=_short(exhibit))


def board_evidence(taken: Sequence[Taking], words: Words) -> list[Block]:
    """Return small lines that list the files of the newest takings."""
    shown = evidence_only(taken)[-ON_BOARD:]
    texts = [
        words.say(
            ":file_folder: Evidence {moment}, {at}: {files}",
            moment=moment_name(taking.moment, words),
            at=words.clock(taking.at),
            files=_listed(taking, words),
        )
        for taking in shown
    ]
    return [context(*texts)] if texts else []


def evidence_modal(
    incident: Incident, taken: Sequence[Taking], words: Words, *, channel: str, asked: bool = False
) -> dict[str, Any]:
    """Render every file of an incident; `asked` says that evidence was asked for just now."""
    blocks: list[Block] = [section(incident_line(incident, words))]
    if asked:
        blocks.append(
            section(
                words.say(
                    ":hourglass_flowing_sand: Asked for. If you may, the evidence comes into the thread."
                )
            )
        )
    elif incident.state is IncidentState.OPEN:
        take = button(
            words.plain("Take evidence now"),
            action=ActionId.TAKE_EVIDENCE,
            value=str(incident.number),
            style="primary",
        )
        blocks.append(actions(take))
    blocks += _all_of(taken, words)
    return modal(
        callback=CallbackId.EVIDENCE,
        title=words.plain("Evidence of {label}", label=incident_label(incident.number)),
        blocks=blocks,
        memory=remember(channel, str(incident.number)),
        words=words,
        submit=None,
    )


def _all_of(taken: Sequence[Taking], words: Words) -> list[Block]:
    if not taken:
        return [section(words.say("No evidence has been taken yet."))]
    blocks: list[Block] = []
    left = list(taken)
    while left and len(blocks) + 1 + len(left[-1].exhibits) <= IN_LIST:
        taking = left.pop()
        head = words.say(
            "*{moment}*, {at}: {files}",
            moment=moment_name(taking.moment, words),
            at=words.moment(taking.at),
            files=_summed(taking, words),
        )
        blocks += [section(head), *(section(_described(exhibit, words)) for exhibit in taking.exhibits)]
    if left:
        blocks.append(context(words.say("{count} older takings are in the thread.", count=len(left))))
    return blocks


def _described(exhibit: Exhibit, words: Words) -> Markup:
    if exhibit.problem is not None:
        return _missing(exhibit, words)
    told = words.say(
        "{file} · {size} · SHA-256 {hash}\n{source}",
        file=words.code(exhibit.name),
        size=size_words(exhibit.size, words),
        hash=words.code(_short(exhibit)),
        source=clean(exhibit.source, limit=LONGEST_SOURCE),
    )
    if exhibit.redacted:
        told = words.say(
            "{told}\n{count} secrets and personal data were replaced.", told=told, count=exhibit.redacted
        )
    if exhibit.dropped_at is not None:
        told = words.say(
            "{told}\nIts content was dropped at {at}, its time being over.",
            told=told,
            at=words.moment(exhibit.dropped_at),
        )
    return told


def _listed(taking: Taking, words: Words) -> Markup:
    files = [
        words.say(
            "{file} {size} {hash}",
            file=words.code(exhibit.name),
            size=size_words(exhibit.size, words),
            hash=words.code(_short(exhibit)[:8]),
        )
        for exhibit in taking.there
    ]
    names = [str(exhibit_kind_name(exhibit.kind, words)) for exhibit in taking.missing]
    if names:
        files.append(words.say(":warning: could not read {what}", what=Markup(", ".join(names))))
    return Markup(" · ".join(files))


def _summed(taking: Taking, words: Words) -> Markup:
    there = taking.there
    told = words.say(
        "{count} files, {size}", count=len(there), size=size_words(sum(e.size for e in there), words)
    )
    redacted = sum(exhibit.redacted for exhibit in there)
    if not redacted:
        return told
    return words.say("{files}, {count} secrets and personal data replaced", files=told, count=redacted)


def _missing(exhibit: Exhibit, words: Words) -> Markup:
    return words.say(
        ":x: Could not read {what}, because: {why}",
        what=exhibit_kind_name(exhibit.kind, words),
        why=clean(" ".join((exhibit.problem or "").split()), limit=LONGEST_PROBLEM) or "?",
    )


def moment_name(moment: Moment | None, words: Words) -> Markup:
    """Return when evidence was taken; None: it is not evidence but what people wrote."""
    return {
        Moment.DECISION: words.say("at the decision"),
        Moment.VERIFICATION: words.say("at the verdict"),
        Moment.ASKED: words.say("because somebody asked"),
        None: words.say("written"),
    }[moment]


def _short(exhibit: Exhibit) -> str:
    return exhibit.sha256[:SHORT_HASH]


def _number(taking: Taking) -> str:
    return taking.snapshot.partition(":")[0]
