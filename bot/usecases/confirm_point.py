"""A person confirms a point of readiness, or that they have read the guide; it counts for a while."""

from collections.abc import Mapping

from bot.domain.guide import Check
from bot.domain.ids import ChannelId, PersonId
from bot.domain.readiness import confirmed_by
from bot.domain.timeline import Event
from bot.usecases.accept import accept
from bot.usecases.authorize import Acting, authorize, refusal_facts
from bot.usecases.journal import Line, audit
from bot.usecases.ports import Clock, Notice, Said, Steps, Store, Transaction, Workflow


async def accept_confirmation(
    key: str,
    point: str,
    person: PersonId,
    channel: ChannelId,
    *,
    acting_team: str | None,
    store: Store,
    clock: Clock,
) -> None:
    """Write the confirmation down, once per `key`; a workflow checks whose it is and keeps it."""
    said = {"point": point, "person": person, "channel": channel, "key": key}
    said |= {"team": acting_team} if acting_team else {}
    await accept(key, Workflow.CONFIRM, key, store=store, clock=clock, **said)


async def confirm_point(arguments: Mapping[str, str], *, steps: Steps, use: Acting) -> None:
    """Keep what a member of the workspace confirmed, and say until when it counts."""
    await steps.step("confirm", lambda: _confirm(arguments, use), into=str)


async def _confirm(arguments: Mapping[str, str], use: Acting) -> str:
    person, channel, key = (
        PersonId(arguments["person"]), ChannelId(arguments["channel"]), arguments["key"],
    )  # fmt: skip
    playbook, now = use.playbooks.current(), use.clock()
    no = await authorize(
        person, None, acting_team=arguments.get("team"), playbook=playbook, people=use.people
    )
    point = next((p for p in playbook.readiness if p.key == arguments["point"]), None)

    def keep(tx: Transaction) -> str:
        if no is not None:
            facts = refusal_facts(no)
            audit(tx, Line(event=Event.ACT_REFUSED, key=f"refused:{key}", actor=person, facts=facts), at=now)
            tx.tell(Notice(what=Said.REFUSED, person=person, channel=channel, facts=facts), key=key)
            return "refused"
        if point is None:
            return "not asked any more"
        confirmation = confirmed_by(point, person, at=now)
        tx.keep(confirmation)
        facts = {"point": point.key, "titles": {"en": point.title.en, "ko": point.title.ko}}
        audit(tx, Line(event=Event.POINT_CONFIRMED, key=key, actor=person, facts=facts), at=now)
        told = facts | {
            "until": confirmation.expires_at.isoformat(),
            "reading": point.check is Check.GUIDE_READ,
        }
        notice = Notice(what=Said.POINT_CONFIRMED, person=person, channel=channel, facts=told)
        tx.tell(notice, key=f"confirmed:{key}")
        return "confirmed"

    return await use.store.change(keep)
