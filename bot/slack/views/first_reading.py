"""The first reading of the evidence, short enough for a telephone: what is new, what is slow, what ended."""

from collections.abc import Iterable, Sequence

from bot.domain.before_after import compared
from bot.domain.exhibit import Exhibit, ExhibitKind, Moment
from bot.domain.first_reading import (
    ContainerEnded,
    Ending,
    EndpointFigures,
    ErrorGroup,
    FirstReading,
    Growth,
)
from bot.domain.ids import incident_label
from bot.domain.readings import Side
from bot.domain.snapshot import Snapshot
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words, clean
from bot.slack.views.numbers import side_name
from bot.slack.views.paragraphs import paragraphs
from bot.slack.views.parts import (
    SECTION_LIMIT,
    Block,
    actions,
    context,
    fit,
    header,
    link_button,
    section,
)
from bot.slack.views.rollback_message import Message

#: What a telephone shows of each; the rest is counted, and the files hold all of it.
GROUPS_SHOWN, ENDPOINTS_SHOWN, STAYING_SHOWN, PROBLEMS_SHOWN = 5, 5, 3, 10
PLACES_SHOWN = 3
#: Of an example and of a shape, characters.
LONGEST_EXAMPLE, LONGEST_SHOWN = 400, 200
#: The order of every pair in a `FirstReading`.
_SIDES = (Side.CANARY, Side.STABLE)
#: A file that holds the whole lines.
_WHOLE = (ExhibitKind.ERROR_LOGS, ExhibitKind.SLOW_REQUESTS)


def first_reading_message(
    snapshot: Snapshot,
    words: Words,
    *,
    files: Sequence[Exhibit] = (),
    before: Snapshot | None = None,
    profile: bool = False,
) -> Message:
    """Render what the evidence says at first sight.

    Args:
        files: the snapshot's files, to say where whole lines are.
        before: the snapshot of the decision, for the one taken at the verdict.
        profile: lead to the memory profile.
    """
    reading = snapshot.reading
    title = _title(snapshot, words)
    known = headline_words(reading, words) if snapshot.canary else words.say("There is no canary now.")
    headline = words.bold(known)
    blocks = [header(title), section(headline), context(basis_words(reading, words))]
    if before is not None:
        blocks += _sections(before_after_lines(before.reading, reading, words))
    blocks += _errors(reading, words)
    for lines in (
        endpoint_lines(reading, words),
        container_lines(reading, words),
        # It is as it was at the decision, and stands there.
        _around(reading, words) if snapshot.moment is not Moment.VERIFICATION else (),
        problem_lines(reading, words),
    ):
        blocks += _sections(lines)
    where = _where(snapshot, files, words)
    if where is not None:
        blocks.append(context(where))
    if profile and snapshot.profiler:
        named = words.plain("Open Cloud Profiler")
        blocks.append(actions(link_button(named, action=ActionId.OPEN_LINK, url=snapshot.profiler)))
    return Message(text=fit(f"{words.safe(title)}\n{headline}", SECTION_LIMIT), blocks=blocks)


def _title(snapshot: Snapshot, words: Words) -> str:
    label = incident_label(snapshot.incident)
    return {
        Moment.DECISION: words.plain("{label} · first reading of the evidence", label=label),
        Moment.VERIFICATION: words.plain("{label} · the evidence after the rollback", label=label),
        Moment.ASKED: words.plain("{label} · the evidence now", label=label),
    }[snapshot.moment]


def _sections(lines: Iterable[Markup]) -> list[Block]:
    return [section(text) for text in paragraphs(lines)]


def headline_words(reading: FirstReading, words: Words) -> Markup:
    """Return how many kinds of errors the canary has, and how much of it is new against stable."""
    lines, kinds = reading.counted[0], reading.canary_kinds
    if lines is None:
        return words.say("The canary's error log could not be read.")
    if not kinds:
        return words.say("No error line of the canary was found.")
    told = (
        words.say("One kind of error on the canary")
        if kinds == 1
        else words.say("{kinds} kinds of errors on the canary", kinds=kinds)
    )
    if reading.new_kinds is None:
        return words.say(
            "{told}; whether they are new is not known, for stable's log could not be read.", told=told
        )
    if not reading.new_kinds:
        return words.say("{told}; nothing is new, stable has all of it too.", told=told)
    share = f"{100 * (reading.new_lines or 0) / lines:.0f}"
    if reading.new_kinds == kinds:
        return words.say("{told}; stable has none of it.", told=told)
    if reading.new_kinds == 1:
        return words.say("{told}; one of them is new and makes {share} %.", told=told, share=share)
    return words.say(
        "{told}; {new} of them are new and make {share} %.", told=told, new=reading.new_kinds, share=share
    )


def basis_words(reading: FirstReading, words: Words) -> Markup:
    """Return what the figures rest on, and what they are not."""
    told = words.say(
        "Plain statistics over {canary} error lines of the canary and {stable} of stable, {since} to "
        "{until}; no judgement of a cause.",
        canary=_count(reading.lines[0], words),
        stable=_count(reading.lines[1], words),
        since=words.clock(reading.since),
        until=words.clock(reading.until),
    )
    cut = [side_name(side, words) for side, was_cut in zip(_SIDES, reading.cut, strict=True) if was_cut]
    if cut:
        told = words.say(
            "{told} There were more ({sides}); only the newest were read, so counts and times are at least "
            "those.",
            told=told,
            sides=Markup(", ".join(cut)),
        )
    repeated = sum(reading.repeated)
    if repeated:
        told = words.say(
            "{told} {count} lines of the request log repeat what the application says and are not counted "
            "twice.",
            told=told,
            count=repeated,
        )
    if reading.redacted:
        told = words.say(
            "{told} {count} secrets and personal data were replaced.", told=told, count=reading.redacted
        )
    return told


def _count(count: int | None, words: Words) -> Markup:
    return words.say("an unknown number of") if count is None else Markup(f"{count:,}")


def _errors(reading: FirstReading, words: Words) -> list[Block]:
    """Return a section for each kind, so that an example's code never runs into another's."""
    groups = [group for group in reading.groups if group.canary] or list(reading.groups)
    if not groups:
        return []
    blocks = []
    for place, group in enumerate(groups[:GROUPS_SHOWN], start=1):
        said = words.say("{place}. {group}", place=place, group=group_words(group, reading, words))
        # Escaping makes longer; a section that is too long would be cut, and with it the code's end.
        room = SECTION_LIMIT - len(said) - 20
        blocks.append(section(Markup(f"{said}\n{example(group.example, words, room=room)}")))
    rest = groups[GROUPS_SHOWN:]
    of_stable = reading.kinds - reading.canary_kinds if reading.canary_kinds else 0
    left = (reading.canary_kinds or reading.kinds) - len(groups) + len(rest)
    if left:
        blocks.append(context(words.say("… more kinds: {left}", left=left)))
    if of_stable:
        blocks.append(context(words.say("Kinds of errors that only stable has: {count}", count=of_stable)))
    return blocks


def group_words(group: ErrorGroup, reading: FirstReading, words: Words) -> Markup:
    """Return one kind of error: what it says, where, how often on each side, since when."""
    mine, theirs = reading.requests
    told = [words.code(clean(group.shape, limit=LONGEST_SHOWN))]
    if group.is_new:
        told.append(words.say(":new: not on stable"))
    sides = words.say(
        "canary {canary} · stable {stable} · first {first}, last {last}",
        canary=_often(group.canary, mine, reading.cut[0], words),
        stable=_often(group.stable, theirs, reading.cut[1], words),
        first=words.clock(group.first_seen),
        last=words.clock(group.last_seen),
    )
    lines = [Markup(" ".join(told)), sides]
    # What a request's own line says begins with its endpoint.
    if group.endpoints and not group.shape.startswith(f"{group.endpoints[0][0]} → "):
        lines.append(_places(group, words))
    return Markup("\n".join(lines))


def _places(group: ErrorGroup, words: Words) -> Markup:
    shown = [
        words.say("{endpoint} ({count})", endpoint=words.code(clean(name, limit=80)), count=count)
        for name, count in group.endpoints[:PLACES_SHOWN]
    ]
    if len(group.endpoints) > PLACES_SHOWN:
        shown.append(Markup("…"))
    return words.say("at {endpoints}", endpoints=Markup(", ".join(shown)))


def _often(count: int | None, requests: int | None, cut: bool, words: Words) -> Markup:
    """Return a count and what it means: the canary has a tenth of the traffic, so counts do not compare."""
    if count is None:
        return words.say("not known")
    number = words.bold(f"{count:,}")
    if cut:
        number = words.say("at least {number}", number=number)
    if not count or not requests:
        return number
    rate = f"{1000 * count / requests:.3g}"
    return words.say("{number} ({rate} in 1,000 requests)", number=number, rate=rate)


def example(text: str, words: Words, *, room: int) -> Markup:
    """Return somebody's line as a block of code of at most `room` characters and its marks.

    Nothing in it can ring, link or end the block.
    """
    shown = words.safe(clean(text.replace("`", "'"), limit=LONGEST_EXAMPLE))
    return Markup(f"```{fit(shown, room)}```")


def endpoint_lines(reading: FirstReading, words: Words) -> list[Markup]:
    """Return the slowest endpoints of the canary, each beside stable's."""
    told = [one for one in reading.endpoints if one.canary_p95_ms is not None][:ENDPOINTS_SHOWN]
    if not told:
        return []
    head = words.bold(words.say("Slowest endpoints of the canary (P95)"))
    return [head, *(_endpoint(one, words) for one in told)]


def _endpoint(figures: EndpointFigures, words: Words) -> Markup:
    slow, usual = figures.canary_p95_ms or 0.0, figures.stable_p95_ms
    line = words.say(
        "• {endpoint} {p95} ms, {requests} requests, {errors} failed",
        endpoint=words.code(clean(figures.endpoint, limit=LONGEST_SHOWN)),
        p95=words.bold(f"{slow:.0f}"),
        requests=f"{figures.canary_requests:,}",
        errors=f"{figures.canary_errors:,}",
    )
    if not usual:
        return words.say("{line}; on stable: too few to tell", line=line)
    return words.say(
        "{line}; on stable {p95} ms (×{times})", line=line, p95=f"{usual:.0f}", times=f"{slow / usual:.1f}"
    )


def container_lines(reading: FirstReading, words: Words) -> list[Markup]:
    """Return restarts, kills for memory, and how the instances grew."""
    lines = [words.bold(words.say("Containers"))]
    if reading.endings is None:
        lines.append(words.say("• Whether any ended is not known."))
    elif not reading.endings:
        lines.append(words.say("• None was seen to end or to fail to start."))
    lines += [_ended(end, words) for end in reading.endings or ()]
    if reading.growth:
        told = Markup(", ".join(_grown(growth, words) for growth in reading.growth))
        lines.append(words.say("• Instances: {told}", told=told))
    return lines


def _ended(end: ContainerEnded, words: Words) -> Markup:
    return words.say(
        "• {side}: {why}, {count} ×, last {last}: {example}",
        side=words.bold(side_name(end.side, words)),
        why=ending_name(end.why, words),
        count=end.count,
        last=words.clock(end.last_at),
        example=words.code(clean(" ".join(end.example.split()), limit=LONGEST_SHOWN)),
    )


def ending_name(why: Ending, words: Words) -> Markup:
    """Return why a container ended."""
    return {
        Ending.OUT_OF_MEMORY: words.say(":boom: out of memory"),
        Ending.EXITED: words.say("the application exited"),
        Ending.CRASHED: words.say("the application crashed"),
        Ending.FAILED_TO_START: words.say("did not start"),
        Ending.UNHEALTHY: words.say("did not answer its health check"),
    }[why]


def _grown(growth: Growth, words: Words) -> Markup:
    side = side_name(growth.side, words)
    if growth.first == growth.most == growth.last:
        return words.say("{side} {count}, unchanged", side=side, count=growth.last)
    return words.say(
        "{side} {first} → {last} (at most {most})",
        side=side,
        first=growth.first,
        last=words.bold(str(growth.last)),
        most=growth.most,
    )


def _around(reading: FirstReading, words: Words) -> list[Markup]:
    """Return the clients, and in what canary and stable are set differently."""
    lines = []
    clients = reading.clients
    if clients is not None:
        seen, failed = f"{clients.seen:,}", f"{clients.failed:,}"
        told = words.say(
            "The canary answered {seen} addresses, {failed} of them with at least one error (an estimate of "
            "users, no more).",
            seen=words.bold(seen),
            failed=words.bold(failed),
        )
        if clients.truncated:
            told = words.say("{told} There were more requests than were read.", told=told)
        lines.append(told)
    if reading.differences:
        names = [clean(one.name, limit=60) for one in reading.differences]
        shown = Markup(", ".join(words.code(name) for name in names[:8]))
        lines.append(
            words.say(
                "Set differently on stable and canary: {count} ({names}). The review below shows how.",
                count=len(names),
                names=Markup(f"{shown}, …") if len(names) > 8 else shown,
            )
        )
    elif reading.differences is not None:
        lines.append(words.say("Stable and canary are configured alike."))
    return lines


def problem_lines(reading: FirstReading, words: Words) -> list[Markup]:
    """Return what could not be read, and why."""
    lines = []
    for problem in reading.problems[:PROBLEMS_SHOWN]:
        what, _, why = problem.partition(": ")
        lines.append(
            words.say(
                ":x: Could not read {what}, because: {why}",
                what=_source_name(what, words),
                why=clean(" ".join(why.split()), limit=300) or "?",
            )
        )
    return lines


def _source_name(what: str, words: Words) -> Markup:
    """Return what a problem is about, see `bot.usecases.collect_evidence.UNREAD`."""
    return {
        "error_lines_canary": words.say("the canary's error log"),
        "error_lines_stable": words.say("stable's error log"),
        "container_ends": words.say("what Cloud Run says of ended containers"),
        "endpoints_canary": words.say("the canary's request log"),
        "endpoints_stable": words.say("stable's request log"),
        "minutes": words.say("Cloud Monitoring"),
        "clients": words.say("the canary's clients"),
        "configuration_canary": words.say("the canary's configuration"),
        "configuration_stable": words.say("stable's configuration"),
        "probe_canary": words.say("the canary's answers to the probe"),
        "probe_stable": words.say("stable's answers to the probe"),
    }.get(what) or words.code(clean(what, limit=60))


def _where(snapshot: Snapshot, files: Sequence[Exhibit], words: Words) -> Markup | None:
    names = [words.code(one.name) for one in files if one.kind in _WHOLE and one.problem is None]
    if not names:
        return None
    return words.say("Whole lines: {files}, in this thread.", files=Markup(", ".join(names)))


# Before and after.


def before_after_lines(before: FirstReading, after: FirstReading, words: Words) -> list[Markup]:
    """Return how both sides did at the decision and do now, and what became of the kinds of errors."""
    lines = [words.bold(words.say("At the decision → now"))]
    for place, side in enumerate(_SIDES):
        lines.append(
            words.say(
                "• {side}: {before} → {after}",
                side=words.bold(side_name(side, words)),
                before=_failed(before, place, words),
                after=_failed(after, place, words),
            )
        )
    found = compared(before, after)
    if found.gone:
        lines.append(words.say("• Kinds of errors of the canary that are gone: {count}", count=found.gone))
    lines += [
        words.say(":warning: Still there: {kind}", kind=_kind(group, after, words))
        for group in found.stay[:STAYING_SHOWN]
    ]
    lines += [
        words.say(":new: Since the decision: {kind}", kind=_kind(group, after, words))
        for group in found.came[:STAYING_SHOWN]
    ]
    left = sum(max(len(groups) - STAYING_SHOWN, 0) for groups in (found.stay, found.came))
    return [*lines, words.say("… more kinds: {left}", left=left)] if left else lines


def _kind(group: ErrorGroup, reading: FirstReading, words: Words) -> Markup:
    return words.say(
        "{shape}, canary {canary}, stable {stable}",
        shape=words.code(clean(group.shape, limit=LONGEST_SHOWN)),
        canary=_often(group.canary, None, reading.cut[0], words),
        stable=_often(group.stable, None, reading.cut[1], words),
    )


def _failed(reading: FirstReading, place: int, words: Words) -> Markup:
    requests, failed = reading.requests[place], reading.failed[place]
    if requests is None or failed is None:
        return words.say("not known")
    if not requests:
        return words.say("no request")
    return words.say(
        "{failed} of {requests} requests failed ({rate} %)",
        failed=f"{failed:,}",
        requests=f"{requests:,}",
        rate=f"{100 * failed / requests:.2f}",
    )
