"""The whole playbook as it reads on paper, in the guide's order, with the guide's headings."""

from collections.abc import Iterator

from bot.domain.playbook import Permission, Playbook, Target
from bot.slack.text import Words
from bot.slack.views.checklist_text import analysis_text, checklist_text
from bot.slack.views.pages import Heading, Mark, Paragraph, Piece, Table, listed
from bot.slack.views.rules_text import contacts_text, flags_text, readiness_text, record_text, rules_text
from bot.slack.views.scenario_text import scenarios_text
from bot.slack.views.watch_text import watch_text


def playbook_text(playbook: Playbook, words: Words) -> list[Piece]:
    """Return the playbook in the language of `words`: everything that it says, in the guide's order."""
    return [
        *_about(playbook, words),
        *scenarios_text(playbook, words),
        *checklist_text(playbook, words),
        *analysis_text(playbook, words),
        *flags_text(playbook, words),
        *rules_text(playbook, words),
        *contacts_text(playbook, words),
        *record_text(playbook, words),
        *readiness_text(playbook, words),
        *_conclusion(playbook, words),
        *watch_text(playbook, words),
        *_commands(playbook, words),
        *_notices(playbook, words),
        *_roles(playbook, words),
        *_targets(playbook, words),
        *_links(playbook, words),
    ]


def _about(playbook: Playbook, words: Words) -> Iterator[Piece]:
    about, locale = playbook.about, words.locale
    yield Heading(1, about.title.in_(locale) if about else playbook.name)
    facts = [words.plain("Edition: {version}", version=playbook.version)]
    facts += [words.plain("Based on: {base}", base=playbook.based_on)] if playbook.based_on else []
    facts += [words.plain("Time zone: {zone}", zone=playbook.time_zone)]
    if about is None:
        yield listed(facts)
        return
    facts += [words.plain("Written: {when}", when=about.written)] if about.written else []
    facts += [words.plain("Author: {who}", who=about.author)] if about.author else []
    facts += [words.plain("Purpose: {purpose}", purpose=about.purpose.in_(locale))]
    facts += [words.plain("Status: {status}", status=about.status.in_(locale))] if about.status else []
    yield listed(facts)
    if about.overview:
        yield Heading(2, words.plain("Overview"))
        yield Paragraph(about.overview.in_(locale))
    if about.goals:
        yield Heading(3, words.plain("Goals"))
        yield listed(goal.in_(locale) for goal in about.goals)


def _conclusion(playbook: Playbook, words: Words) -> Iterator[Piece]:
    if about := playbook.about:
        yield Heading(2, words.plain("Conclusion"))
        yield Paragraph(about.conclusion.in_(words.locale))
        yield listed((text.in_(words.locale) for text in about.essentials), Mark.NUMBER)
        for text in about.closing:
            yield Paragraph(text.in_(words.locale))


# What the guide needs in order to come alive here: not in the guide itself.


def _commands(playbook: Playbook, words: Words) -> Iterator[Piece]:
    if playbook.about and playbook.about.commands:
        yield Heading(2, words.plain("The guide's scripts, and what takes their place"))
        head = [words.plain("Script"), words.plain("What it does"), words.plain("Now")]
        rows = [[c.script, c.does.in_(words.locale), c.now] for c in playbook.about.commands]
        yield Table(head, rows)


def _notices(playbook: Playbook, words: Words) -> Iterator[Piece]:
    if not playbook.notices:
        return
    yield Heading(2, words.plain("Notices"))
    head = [words.plain("Notice"), words.plain("Template"), words.plain("Channels")]
    head += [words.plain("Approval"), words.plain("Next update")]
    yes, say = words.plain("by the commander"), words.plain
    rows = [
        [
            plan.title.in_(words.locale),
            plan.template,
            ", ".join(plan.channels),
            yes if plan.needs_approval else "",
            say("after {minutes:g} min", minutes=plan.next_update_minutes)
            if plan.next_update_minutes
            else "",
        ]
        for plan in playbook.notices.values()
    ]
    yield Table(head, rows)


def _roles(playbook: Playbook, words: Words) -> Iterator[Piece]:
    if not playbook.roles:
        return
    yield Heading(2, words.plain("Who may act"))
    nobody = words.plain("nobody yet")
    rows = [
        [name, ", ".join([*role.users, *role.groups]) or nobody, ", ".join(_may(p, words) for p in role.may)]
        for name, role in playbook.roles.items()
    ]
    yield Table([words.plain("Role"), words.plain("People and groups"), words.plain("May")], rows)


def _may(permission: Permission, words: Words) -> str:
    return {
        Permission.ROLL_BACK: words.plain("roll back"),
        Permission.CHANGE_CANARY: words.plain("change the canary"),
        Permission.TELL_USERS: words.plain("tell users"),
        Permission.COMPLETE_RECORD: words.plain("complete the record"),
    }[permission]


def _targets(playbook: Playbook, words: Words) -> Iterator[Piece]:
    yield Heading(2, words.plain("Targets"))
    head = [
        words.plain("Target"),
        words.plain("Stable service"),
        words.plain("Canary"),
        words.plain("Region"),
    ]
    yield Table(head, [[name, *_target(target, words)] for name, target in playbook.targets.items()])


def _target(target: Target, words: Words) -> list[str]:
    stable = target.stable_revision or target.stable_tag
    service = " / ".join(filter(None, [target.project, target.service, stable, target.health_url]))
    canary = target.canary_service or words.plain("its newest revision")
    if target.router:
        canary += f" ({target.router.service}: {target.router.variable})"
    return [service, canary, target.region]


def _links(playbook: Playbook, words: Words) -> Iterator[Piece]:
    if playbook.links:
        yield Heading(2, words.plain("Pages to open"))
        yield listed(f"{link.title.in_(words.locale)}: {link.url}" for link in playbook.links.values())
