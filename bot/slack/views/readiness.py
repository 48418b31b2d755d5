"""Readiness: each point of the guide with its evidence, or with what is wrong and what to do about it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.domain.ids import PersonId
from bot.domain.readiness import Answer, Finding, Found, Readiness, Standing
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.announcement import channel_names
from bot.slack.views.faults import fault_text
from bot.slack.views.parts import (
    SECTION_LIMIT,
    Block,
    button,
    context,
    fit,
    header,
    section,
)
from bot.slack.views.rollback_message import Message

Facts = Mapping[str, Any]

#: Points one message shows: a block each, of the 50 that Slack takes.
MOST_POINTS = 45
#: How many people a line names.
MOST_NAMES = 30

_LAMPS = {
    Standing.READY: ":large_green_circle:",
    Standing.TO_CONFIRM: ":large_yellow_circle:",
    Standing.COULD_NOT_CHECK: ":white_circle:",
    Standing.NOT_READY: ":red_circle:",
}


def standing_name(standing: Standing, words: Words) -> Markup:
    """Return how a point stands as lamp and word: colour alone tells one reader in twelve nothing."""
    word = {
        Standing.READY: words.say("ready"),
        Standing.TO_CONFIRM: words.say("to be confirmed by a person"),
        Standing.COULD_NOT_CHECK: words.say("could not be checked"),
        Standing.NOT_READY: words.say("not ready"),
    }[standing]
    return Markup(f"{_LAMPS[standing]} {word}")


def readiness_message(readiness: Readiness, words: Words) -> Message:
    """Render every point, with a button where a person's word counts."""
    title = words.plain("Readiness of {target}", target=readiness.target)
    blocks = [header(title), section(readiness_line(readiness, words))]
    blocks += [_point(answer, words) for answer in readiness.answers[:MOST_POINTS]]
    more = len(readiness.answers) - MOST_POINTS
    if more > 0:
        command = words.code("backout ready")
        blocks.append(
            context(words.say("… and {count} more; {command} shows all.", count=more, command=command))
        )
    blocks.append(context(words.say("Checked at {at}. Nothing was changed.", at=words.clock(readiness.at))))
    return Message(text=f"{title}: {readiness_line(readiness, words)}", blocks=blocks)


def readiness_line(readiness: Readiness, words: Words) -> Markup:
    """Return how many points stand how, the worst first."""
    if not readiness.answers:
        return words.say(
            ":white_circle: The playbook lists no points under {key}.", key=words.code("readiness")
        )
    if readiness.ready:
        return words.say(":large_green_circle: All {count} points are ready.", count=len(readiness.answers))
    parts = [
        words.say("{standing}: {count}", standing=standing_name(standing, words), count=count)
        for standing in Standing
        if (count := readiness.count(standing))
    ]
    return Markup(" · ".join(parts))


def readiness_text(readiness: Readiness, words: Words) -> str:
    """Return all of it for a terminal."""
    lines = [words.plain("Readiness of {target}", target=readiness.target)]
    lines += [_lines(answer, words) for answer in readiness.answers]
    return "\n".join([*lines, readiness_line(readiness, words)])


def _point(answer: Answer, words: Words) -> Block:
    made = section(fit(_lines(answer, words), SECTION_LIMIT))
    if answer.reading:
        text = words.plain("I have read the guide")
    elif answer.confirmable:
        text = words.plain("Confirm")
    else:
        return made
    return made | {"accessory": button(text, action=ActionId.CONFIRM_POINT, value=answer.point)}


def _lines(answer: Answer, words: Words) -> Markup:
    title = words.bold(answer.titles.get(words.locale) or answer.point)
    head = words.say("{title}: {standing}", title=title, standing=standing_name(answer.standing, words))
    # What is wrong comes first; evidence stays, so that one sees what was looked at.
    findings = sorted(answer.findings, key=lambda finding: list(Standing).index(finding.standing))
    return Markup("\n".join([head, *(f"• {finding_words(one, words)}" for one in findings)]))


def finding_words(finding: Finding, words: Words) -> Markup:
    """Return what was found, and what to do where something is missing."""
    return _FOUND[finding.found](finding.facts, words)


def _people(people: list[str], words: Words) -> Markup:
    shown = [words.person(PersonId(person)) for person in people[:MOST_NAMES]]
    if len(people) > MOST_NAMES:
        shown.append(words.say("… and {count} more", count=len(people) - MOST_NAMES))
    return Markup(", ".join(shown))


def _role(facts: Facts, words: Words) -> str:
    role = facts.get("role") or {}
    return str(role.get(words.locale) or facts.get("contact") or "Slack")


def _who(facts: Facts, words: Words) -> Markup:
    return words.say("{role} ({name})", role=_role(facts, words), name=facts["name"])


def _stable_found(facts: Facts, words: Words) -> Markup:
    return words.say(
        "A rollback would take {canary} ({percent} %) out of traffic, 100 % to {stable}.",
        canary=words.code(facts["canary"]),
        percent=facts["percent"],
        stable=words.code(facts["stable"]),
    )


def _nothing_split(facts: Facts, words: Words) -> Markup:
    return words.say(
        "Nothing is split now: {serving} has all of the traffic.", serving=words.code(facts["serving"])
    )


def _unsure(facts: Facts, words: Words) -> Markup:
    return words.say(
        "Which revision is stable cannot be told ({detail}). Write {key} into the playbook.",
        detail=facts["detail"],
        key=words.code("stable_revision"),
    )


def _dry_run(facts: Facts, words: Words) -> Markup:
    return words.say(
        "Google accepts the very write of a rollback to {service} (dry run, nothing changed).",
        service=words.code(facts["service"]),
    )


def _probe_well(facts: Facts, words: Words) -> Markup:
    return words.say(
        "Stable answers: {well} of {sent} requests to {url}.",
        well=facts["well"],
        sent=facts["sent"],
        url=words.code(facts["url"]),
    )


def _probe_failed(facts: Facts, words: Words) -> Markup:
    return words.say(
        "Stable does not answer well: {well} of {sent} requests to {url}. Look at the service, or write the "
        "right {key} into the playbook.",
        well=facts["well"],
        sent=facts["sent"],
        url=words.code(facts["url"]),
        key=words.code("health_url"),
    )


def _missing(facts: Facts, words: Words) -> Markup:
    return words.say(
        "Missing: {missing}. Give the bot's service account {role} on the service.",
        missing=words.code(", ".join(facts["missing"])),
        role=words.code("roles/run.developer"),
    )


def _log_unreadable(facts: Facts, words: Words) -> Markup:
    return words.say(
        "The log cannot be read ({why}). The bot's service account needs {role}.",
        why=str(facts["why"])[:300],
        role=words.code("roles/logging.viewer"),
    )


def _metrics_unreadable(facts: Facts, words: Words) -> Markup:
    return words.say(
        "The metrics cannot be read ({why}). The bot's service account needs {role}.",
        why=str(facts["why"])[:300],
        role=words.code("roles/monitoring.viewer"),
    )


def _contact_empty(facts: Facts, words: Words) -> Markup:
    return words.say(
        "{role}: [TBD], nobody is named. Write {name}, and {user} or {phone}, under {key} in the playbook.",
        role=words.bold(_role(facts, words)),
        name=words.code("name"),
        user=words.code("user"),
        phone=words.code("phone"),
        key=words.code(f"contacts.{facts['contact']}"),
    )


def _contact_gone(facts: Facts, words: Words) -> Markup:
    return words.say(
        "{who}: this Slack account is deactivated or no person's. Correct {key} in the playbook.",
        who=_who(facts, words),
        key=words.code(f"contacts.{facts['contact']}.user"),
    )


def _contact_guest(facts: Facts, words: Words) -> Markup:
    return words.say(
        "{who}: is a guest or belongs to another workspace, and so may not act. Correct {key} in the "
        "playbook.",
        who=_who(facts, words),
        key=words.code(f"contacts.{facts['contact']}.user"),
    )


def _group_empty(facts: Facts, words: Words) -> Markup:
    return words.say(
        "{who}: the user group {group} has no members.",
        who=_who(facts, words),
        group=words.code(facts["group"]),
    )


def _slack_silent(facts: Facts, words: Words) -> Markup:
    return words.say(
        "{role}: Slack could not be asked ({why}).",
        role=_role(facts, words),
        why=str(facts["why"])[:200],
    )


def _channel_missing(facts: Facts, words: Words) -> Markup:
    return words.say(
        "Not found in Slack, or archived: {channels}. Create it (invite the bot where it is private), or "
        "correct the playbook.",
        channels=channel_names(facts["channels"]),
    )


def _template_broken(facts: Facts, words: Words) -> Markup:
    return words.say(
        "{template} cannot be filled in: {why}",
        template=words.code(facts["template"]),
        why=str(facts["why"])[:300],
    )


def _backup_fresh(facts: Facts, words: Words) -> Markup:
    return words.say(
        "The newest backup is of {at}: {hours:.1f} h old, {limit:g} h are allowed.",
        at=words.moment(datetime.fromisoformat(facts["at"])),
        hours=facts["hours"],
        limit=facts["limit_hours"],
    )


def _backup_old(facts: Facts, words: Words) -> Markup:
    return words.say(
        "The newest backup is too old: of {at}, {hours:.1f} h ago, {limit:g} h are allowed. Make one before "
        "you deploy.",
        at=words.moment(datetime.fromisoformat(facts["at"])),
        hours=facts["hours"],
        limit=facts["limit_hours"],
    )


def _backup_unknown(facts: Facts, words: Words) -> Markup:
    return words.say("How old the newest backup is cannot be told: {why}", why=str(facts["why"])[:300])


def _confirmed(facts: Facts, words: Words) -> Markup:
    return words.say(
        "Confirmed by {who} on {at}; counts until {until}.",
        who=words.person(facts["by"]),
        at=words.moment(datetime.fromisoformat(facts["at"])),
        until=words.moment(datetime.fromisoformat(facts["until"])),
    )


def _expired(facts: Facts, words: Words) -> Markup:
    return words.say(
        "Confirmed by {who} on {at}, which counted until {until}. Somebody should look again.",
        who=words.person(facts["by"]),
        at=words.moment(datetime.fromisoformat(facts["at"])),
        until=words.moment(datetime.fromisoformat(facts["until"])),
    )


_FOUND: Mapping[Found, Callable[[Facts, Words], Markup]] = {
    Found.FAULT: lambda facts, words: fault_text(facts, words),
    Found.STABLE_FOUND: _stable_found,
    Found.NOTHING_SPLIT: _nothing_split,
    Found.STABLE_UNSURE: _unsure,
    Found.DRY_RUN_TAKEN: _dry_run,
    Found.PROBE_WELL: _probe_well,
    Found.PROBE_FAILED: _probe_failed,
    Found.PERMISSIONS_HELD: lambda _, words: words.say(
        "Google says that the bot may read and update the service."
    ),
    Found.PERMISSIONS_MISSING: _missing,
    Found.LOG_READ: lambda _, words: words.say("Cloud Logging was read just now."),
    Found.LOG_UNREADABLE: _log_unreadable,
    Found.METRICS_READ: lambda _, words: words.say("Cloud Monitoring was read just now."),
    Found.METRICS_UNREADABLE: _metrics_unreadable,
    Found.NO_CONTACTS: lambda _, words: words.say(
        "The playbook names nobody under {key}.", key=words.code("contacts")
    ),
    Found.CONTACT_EMPTY: _contact_empty,
    Found.CONTACT_REACHED: lambda facts, words: words.say("{who}: can be reached.", who=_who(facts, words)),
    Found.CONTACT_GONE: _contact_gone,
    Found.CONTACT_GUEST: _contact_guest,
    Found.GROUP_EMPTY: _group_empty,
    Found.CHANNELS_THERE: lambda facts, words: words.say(
        "These channels are there: {channels}.", channels=channel_names(facts["channels"])
    ),
    Found.CHANNEL_MISSING: _channel_missing,
    Found.SLACK_SILENT: _slack_silent,
    Found.TEMPLATES_RENDER: lambda facts, words: words.say(
        "Filled in with samples in both languages: {templates}.", templates=", ".join(facts["templates"])
    ),
    Found.TEMPLATE_BROKEN: _template_broken,
    Found.NO_NOTICES: lambda _, words: words.say(
        "The playbook has no text of this kind. Write it under {key}.", key=words.code("notices")
    ),
    Found.BACKUP_FRESH: _backup_fresh,
    Found.BACKUP_OLD: _backup_old,
    Found.BACKUP_UNKNOWN: _backup_unknown,
    Found.GUIDE_READ_BY: lambda facts, words: words.say(
        "Have read it: {people}.", people=_people(facts["people"], words)
    ),
    Found.GUIDE_UNREAD_BY: lambda facts, words: words.say(
        "Have not said so yet: {people}.", people=_people(facts["people"], words)
    ),
    Found.NOBODY_NAMED: lambda _, words: words.say(
        "The playbook names nobody under {roles} or {contacts}, so nobody is known who should read it.",
        roles=words.code("roles"),
        contacts=words.code("contacts"),
    ),
    Found.CONFIRMED: _confirmed,
    Found.CONFIRMATION_EXPIRED: _expired,
    Found.NEVER_CONFIRMED: lambda _, words: words.say("Nobody has confirmed it yet."),
}
