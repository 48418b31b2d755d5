"""App Home: open incidents, what waits for this person, how the targets stand, and readiness."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.domain.flags import flags
from bot.domain.follow_up import FollowUp
from bot.domain.home import Home, Todo
from bot.domain.ids import TargetName, incident_label
from bot.domain.incident import Incident
from bot.domain.paging import Page
from bot.domain.playbook import Playbook
from bot.domain.status import Status
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.drill_marks import marked_if
from bot.slack.views.incident_words import failure_name, severity_name
from bot.slack.views.numbers import age, lamp, metric_name, quantity, side_name
from bot.slack.views.parts import (
    SECTION_LIMIT,
    Block,
    actions,
    button,
    context,
    fit,
    header,
    link_button,
    section,
)
from bot.slack.views.readiness import readiness_line

#: How many of a kind are listed, so that all kinds together stay under Slack's 100 blocks.
MOST_LISTED = 10


def home_view(
    home: Home, playbook: Playbook, words: Words, *, now: datetime, slack_url: str | None
) -> dict[str, Any]:
    """Render somebody's Home in the language of `words`.

    Args:
        slack_url: our workspace's address, for links to messages; None while Slack has not told.
    """
    to = _Linking(home, words, slack_url)
    blocks = [
        header(words.plain("Incidents and canaries")),
        _buttons(home, words),
        *_listed(
            words.plain("Open incidents"), words.say("No open incident."),
            [_incident(one, home, playbook, words, to, now=now) for one in home.incidents], words,
        ),
        *_listed(
            words.plain("I am called"), words.say("Nobody is calling you."),
            [_page(one, home, words, to) for one in home.pages], words,
        ),
        *_listed(
            words.plain("My open steps"), words.say("No step is waiting for you."),
            [_todo(one, home, words, to, now=now) for one in home.todos], words,
        ),
        *_listed(
            words.plain("My follow-ups"), words.say("No follow-up is waiting for you."),
            [_follow_up(one, home, words, to, now=now) for one in home.follow_ups], words,
        ),
        *_listed(
            words.plain("Targets"), words.say("The playbook names no target."),
            [_target(name, status, home, playbook, words, now=now) for name, status in home.statuses.items()],
            words,
        ),
        *_readiness(home, words, now=now),
    ]  # fmt: skip
    return {"type": "home", "blocks": blocks}


def closed_home(words: Words) -> dict[str, Any]:
    """Return the Home of somebody who is no member of this workspace."""
    return {
        "type": "home",
        "blocks": [section(words.say("Backout's Home is for members of this workspace."))],
    }


class _Linking:
    """Makes the button that leads to a message, where it is posted and the address is known."""

    def __init__(self, home: Home, words: Words, slack_url: str | None) -> None:
        self._places = home.places
        self._words = words
        self._slack_url = slack_url

    def __call__(self, key: str) -> dict[str, Any]:
        """Return an accessory that opens the message `key`, or nothing."""
        place = self._places.get(key)
        if place is None or self._slack_url is None:
            return {}
        channel, ts = place
        url = f"{self._slack_url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
        return {"accessory": link_button(self._words.plain("Open"), action=ActionId.OPEN_LINK, url=url)}


def _buttons(home: Home, words: Words) -> Block:
    declare = button(
        words.plain("Declare an incident"), action=ActionId.DECLARE, value="home", style="danger"
    )
    target = next(iter(home.statuses), TargetName(""))
    return actions(
        declare, button(words.plain("Check readiness"), action=ActionId.CHECK_READINESS, value=target)
    )


def _listed(title: str, none: Markup, items: Sequence[Block], words: Words) -> list[Block]:
    blocks: list[Block] = [header(title), *items[:MOST_LISTED]]
    if not items:
        blocks.append(context(none))
    if len(items) > MOST_LISTED:
        blocks.append(context(words.say("… and {count} more", count=len(items) - MOST_LISTED)))
    return blocks


def _incident(
    incident: Incident, home: Home, playbook: Playbook, words: Words, to: _Linking, *, now: datetime
) -> Block:
    scenario = playbook.scenario(incident.scenario)
    what = scenario.name.in_(words.locale) if scenario else failure_name(incident.failure_type, words)
    command = words.person(incident.commander) if incident.commander else words.say("nobody has command yet")
    text = words.say(
        "{label} · {target} · {what}\nSeverity: {severity} · In command: {command}",
        label=words.bold(incident_label(incident.number)),
        target=incident.target,
        what=what,
        severity=severity_name(incident.severity, words),
        command=command,
    )
    text = marked_if(incident.drill, text, words)
    todo = home.next_todos.get(incident.number)
    if todo is not None:
        title = todo.title.in_(words.locale)
        text = words.say(
            "{text}\nNext step: {what}", text=text, what=_with_due(title, todo.due_at, words, now=now)
        )
    return section(fit(text, SECTION_LIMIT)) | to(f"board:{incident.number}")


def _with_due(title: str, due_at: datetime | None, words: Words, *, now: datetime) -> Markup:
    return Markup(words.safe(title) + _due(due_at, words, now=now))


def _due(due_at: datetime | None, words: Words, *, now: datetime) -> Markup:
    if due_at is None:
        return Markup("")
    if now > due_at:
        return words.say(" · overdue since {length}", length=words.duration(now - due_at))
    return words.say(" · due in {length}", length=words.duration(due_at - now))


def _page(page: Page, home: Home, words: Words, to: _Linking) -> Block:
    contact = home.contacts.get(page.id)
    text = words.say(
        ":rotating_light: {label} needs {role}: answer by {due}",
        label=words.bold(incident_label(page.incident)),
        role=contact.role.in_(words.locale) if contact else page.contact,
        due=words.clock(page.due_at),
    )
    text = marked_if(page.incident in home.drills, text, words)
    return section(text) | to(f"page:{page.id}")


def _todo(todo: Todo, home: Home, words: Words, to: _Linking, *, now: datetime) -> Block:
    text = words.say(
        "{label} · {what}",
        label=words.bold(incident_label(todo.incident)),
        what=_with_due(todo.title.in_(words.locale), todo.due_at, words, now=now),
    )
    text = marked_if(todo.incident in home.drills, text, words)
    return section(fit(text, SECTION_LIMIT)) | to(todo.shown_by)


def _follow_up(follow_up: FollowUp, home: Home, words: Words, to: _Linking, *, now: datetime) -> Block:
    text = words.say(
        "{label} · {what}",
        label=words.bold(incident_label(follow_up.incident)),
        what=_with_due(follow_up.title_in(words.locale), follow_up.due_at, words, now=now),
    )
    text = marked_if(follow_up.incident in home.drills, text, words)
    return section(fit(text, SECTION_LIMIT)) | to(f"follow_ups:{follow_up.incident}:1")


def _target(
    name: TargetName, status: Status | None, home: Home, playbook: Playbook, words: Words, *, now: datetime
) -> Block:
    told = _standing(name, status, playbook, words, now=now)
    return section(fit(marked_if(name in home.drilled, told, words), SECTION_LIMIT))


def _standing(
    name: TargetName, status: Status | None, playbook: Playbook, words: Words, *, now: datetime
) -> Markup:
    if status is None:
        return words.say(":white_circle: {target}: never read yet; reading it now …", target=words.bold(name))
    read = age(max(now - status.read_at, now - now), words)
    if status.problem is not None:
        return words.say(
            ":white_circle: {target}: could not be read ({why}), {age}",
            target=words.bold(name),
            why=status.problem[:300],
            age=read,
        )
    lines = [words.say("{target} · read {age}", target=words.bold(name), age=read)]
    # Coloured by what is known now: a reading that has grown old is grey, never green.
    for flag in flags(status.readings, playbook.thresholds, now=now, min_errors=playbook.watch.min_errors):
        reading = flag.reading
        lines.append(
            words.say(
                "{lamp} · {metric}, {side}: {value}",
                lamp=lamp(flag.colour, words),
                metric=metric_name(reading.metric, words),
                side=side_name(reading.side, words),
                value=quantity(reading.metric, reading.value, words),
            )
        )
    if len(lines) == 1:
        lines.append(words.say(":white_circle: no data"))
    return Markup("\n".join(lines))


def _readiness(home: Home, words: Words, *, now: datetime) -> list[Block]:
    title = header(words.plain("Readiness"))
    if home.readiness is None:
        return [
            title,
            context(
                words.say("Not checked yet. {check} looks.", check=words.bold(words.plain("Check readiness")))
            ),
        ]
    read = age(max(now - home.readiness.at, now - now), words)
    text = words.say(
        "{target}: {summary}",
        target=words.bold(home.readiness.target),
        summary=readiness_line(home.readiness, words),
    )
    return [title, section(text), context(words.say("Checked: {age}", age=read))]
