"""What a look found, as a message under the incident's board."""

from bot.domain.finding import About, Finding, Remark, Unread
from bot.domain.flags import flags
from bot.domain.guide import Does
from bot.domain.log_lines import Group, LogLines, grouped
from bot.domain.playbook import Playbook
from bot.domain.readings import ProbeResult, Side, percentile
from bot.domain.resources import Resource, Resources
from bot.domain.traffic import Condition, ServiceState, TrafficShare
from bot.slack.text import Markup, Words, clean
from bot.slack.views.diagnosis_lines import in_language
from bot.slack.views.numbers import reading_line, side_name
from bot.slack.views.paragraphs import paragraphs
from bot.slack.views.parts import SECTION_LIMIT, context, fit, header, section
from bot.slack.views.rollback_message import Message
from bot.slack.views.status import status_paragraphs

#: Different lines shown; the rest is counted, and the gcloud line shows all of it.
GROUPS_SHOWN = 15
LONGEST_SHOWN = 300


def finding_message(finding: Finding, playbook: Playbook, words: Words) -> Message:
    """Render a finding as it was read; `playbook` is the incident's, for its thresholds."""
    title = in_language(finding.titles, words)
    lines = [*_found(finding, playbook, words)]
    lines += [_unread(one, words) for one in finding.unread]
    lines += [_remark(one, words) for one in finding.remarks]
    blocks = [header(title), *(section(part) for part in paragraphs(lines))]
    read = words.say(
        "{target}, read at {at}.", target=words.bold(finding.target), at=words.clock(finding.read_at)
    )
    blocks.append(context(read))
    if finding.by_hand:
        by_hand = words.say("By hand: {line}", line=words.code(finding.by_hand))
        blocks += [section(part) for part in paragraphs([by_hand])]
    return Message(text=fit("\n".join([words.safe(title), *lines]), SECTION_LIMIT), blocks=blocks)


def _found(finding: Finding, playbook: Playbook, words: Words) -> list[Markup]:
    if finding.status is not None:
        if finding.does is Does.METRICS:
            return _metrics(finding, playbook, words)
        return status_paragraphs(finding.status, playbook, words)
    if finding.log is not None:
        return _log(finding.log, words) if finding.log.problem is None else []
    if finding.service is not None:
        return _service(finding.service, words)
    if finding.does is Does.HEALTH:
        return [_health(probe, words) for probe in finding.probes]
    return _probes(finding, words)


def _metrics(finding: Finding, playbook: Playbook, words: Words) -> list[Markup]:
    status = finding.status
    assert status is not None
    if status.problem is not None:
        return [words.say("Cloud Run could not be read: {why}", why=status.problem[:1000])]
    coloured = flags(
        status.readings, playbook.thresholds, now=status.read_at, min_errors=playbook.watch.min_errors
    )
    if not any(f.reading.side is Side.CANARY for f in coloured):
        return [
            words.say("No canary serves now, so there are no numbers of it."),
            *(reading_line(f, words, now=status.read_at) for f in coloured),
        ]
    return [reading_line(f, words, now=status.read_at) for f in coloured]


def _log(log: LogLines, words: Words) -> list[Markup]:
    span = {"since": words.moment(log.since), "until": words.clock(log.until)}
    if not log.lines:
        return [words.say("No line matches, from {since} to {until}.", **span)]
    groups = grouped(log.lines)
    head = words.say(
        "{count} lines, {kinds} different, from {since} to {until}:",
        count=len(log.lines),
        kinds=len(groups),
        **span,
    )
    if log.more:
        head = words.say("{head} the newest {limit} only, there are more.", head=head, limit=log.limit)
    if log.redacted:
        head = words.say(
            "{told} {count} secrets and personal data were replaced.", told=head, count=log.redacted
        )
    shown = [_group(group, words) for group in groups[:GROUPS_SHOWN]]
    left = groups[GROUPS_SHOWN:]
    if left:
        rest = sum(group.count for group in left)
        shown.append(
            words.say(
                "… {rest} more lines of {kinds} other kinds: read them with the line below.",
                rest=rest,
                kinds=len(left),
            )
        )
    return [head, *shown]


def _group(group: Group, words: Words) -> Markup:
    line = group.newest
    detail = _flat(line.detail)
    said = words.code(_flat(line.message)) + (words.say(" ({detail})", detail=detail) if detail else "")
    return words.say(
        "• {count} × {severity} {said}, newest at {at} from {origin}",
        count=group.count,
        severity=line.severity,
        said=Markup(said),
        at=words.clock(line.at),
        origin=_flat(line.revision or line.service or "?"),
    )


def _flat(text: str) -> str:
    return clean(" ".join(text.split()), limit=LONGEST_SHOWN)


def _service(service: ServiceState, words: Words) -> list[Markup]:
    lines = [
        words.say("{service}: {standing}", service=words.bold(service.name), standing=_ready(service, words)),
        words.say(
            "Generation {generation} (observed: {observed}), last changed by {who} at {at}",
            generation=service.generation,
            observed=service.observed_generation,
            who=_flat(service.last_modifier or "?"),
            at=words.moment(service.updated_at),
        ),
        words.say("Traffic: {shares}", shares=_traffic(service.observed or service.wanted, words)),
        words.say(
            "Newest revision: {created}; newest that is ready: {ready}",
            created=words.code(service.latest_created or "?"),
            ready=words.code(service.latest_ready or "?"),
        ),
        words.say("Image: {image}", image=Markup(", ".join(words.code(i) for i in service.images) or "?")),
        words.say("Limits: {limits}", limits=_limits(service.resources, words)),
    ]
    return lines + [_condition(condition, words) for condition in service.conditions]


def _ready(service: ServiceState, words: Words) -> Markup:
    if service.problem is not None:
        return words.say(":x: not ready: {why}", why=service.problem[:500])
    if not service.settled:
        return words.say(":hourglass_flowing_sand: Cloud Run is still applying a change")
    return words.say(":white_check_mark: ready")


def _traffic(shares: tuple[TrafficShare, ...], words: Words) -> Markup:
    serving = (
        words.say("{percent} % → {name}", percent=s.percent, name=words.code(s.revision or "LATEST"))
        for s in shares
        if s.percent
    )
    return Markup(", ".join(serving)) or words.say("none")


def _limits(resources: Resources, words: Words) -> Markup:
    names = {
        Resource.MEMORY: words.say("memory {amount} MiB", amount=resources.memory_mib),
        Resource.CPU: words.say("CPU {amount}", amount=f"{(resources.cpu_milli or 0) / 1000:g}"),
        Resource.MIN_INSTANCES: words.say("at least {amount} instances", amount=resources.min_instances),
        Resource.MAX_INSTANCES: words.say("at most {amount} instances", amount=resources.max_instances),
    }
    return Markup(", ".join(names[resource] for resource, _ in resources.said())) or words.say("none")


def _condition(condition: Condition, words: Words) -> Markup:
    mark = {True: ":white_check_mark:", False: ":x:", None: ":hourglass_flowing_sand:"}[condition.well]
    line = words.say("{mark} {kind}", mark=mark, kind=condition.kind)
    if not condition.message:
        return line
    return words.say("{line}: {detail}", line=line, detail=_flat(condition.message))


def _health(probe: ProbeResult, words: Words) -> Markup:
    url = words.code(probe.url)
    if probe.answered_well:
        return words.say(
            ":white_check_mark: {url} answered {status} in {took} ms.",
            url=url,
            status=probe.status or 200,
            took=f"{probe.latencies_ms[0]:.0f}" if probe.latencies_ms else "?",
        )
    if probe.throttled:
        return words.say(":warning: {url} asked to be left alone ({status}).", url=url, status=probe.status)
    return words.say(":x: {url} is not well: {why}.", url=url, why=_flat(probe.problem or "?"))


def _probes(finding: Finding, words: Words) -> list[Markup]:
    lines = [_probe(probe, words) for probe in finding.probes]
    by_side = {probe.side: probe for probe in finding.probes}
    if len(by_side) == 2:
        lines.append(_compared(by_side[Side.CANARY], by_side[Side.STABLE], words))
    if finding.probes:
        lines.append(
            words.say(
                "Requests one after another, {pause} ms apart, 30 s time-out each.", pause=finding.pause_ms
            )
        )
    return lines


def _probe(probe: ProbeResult, words: Words) -> Markup:
    side = words.bold(side_name(probe.side, words))
    if not probe.sent:
        why = _flat(probe.problem or "?")
        return words.say("{side}: no request was sent: {why}", side=side, why=why)
    text = words.say(
        "{side}: {well} of {sent} answered well ({percent} %)",
        side=side,
        well=probe.answered_well,
        sent=probe.sent,
        percent=f"{100 * probe.answered_well / probe.sent:.0f}",
    )
    took = probe.latencies_ms
    if took:
        text = words.say(
            "{text} · response time average {average} ms, shortest {shortest} ms, longest {longest} ms, "
            "P95 {p95} ms",
            text=text,
            average=f"{sum(took) / len(took):.0f}",
            shortest=f"{min(took):.0f}",
            longest=f"{max(took):.0f}",
            p95=f"{percentile(took, 95) or 0:.0f}",
        )
    if probe.problem:
        text = words.say("{text} · last failure: {why}", text=text, why=_flat(probe.problem))
    url = words.code(probe.url)
    return words.say("{text} · {url}", text=text, url=url)


def _compared(canary: ProbeResult, stable: ProbeResult, words: Words) -> Markup:
    slow, usual = percentile(canary.latencies_ms, 95), percentile(stable.latencies_ms, 95)
    if not slow or not usual:
        return words.say("The response times cannot be compared.")
    return words.say("The canary's P95 is {times} times stable's.", times=f"{slow / usual:.1f}")


def _unread(unread: Unread, words: Words) -> Markup:
    what = {
        About.CLOUD_RUN: words.say("Cloud Run"),
        About.LOG: words.say("the log"),
        About.PROBE: words.say("the answers to the probe"),
    }[unread.about]
    return words.say(":x: Could not read {what}, because: {why}", what=what, why=_flat(unread.why))


def _remark(remark: Remark, words: Words) -> Markup:
    return {
        Remark.CANARY_HAS_NO_ADDRESS: words.say(
            ":information_source: The canary has no address of its own, so it was not probed: give its "
            "revision a traffic tag."
        ),
        Remark.STABLE_BEHIND_SPLIT: words.say(
            ":information_source: Stable has no address of its own: its probe went to the service's, of "
            "which the canary answers a part. Give the stable revision a traffic tag too."
        ),
        Remark.CANARY_NOT_THERE: words.say(":warning: The canary's service does not exist."),
    }[remark]
