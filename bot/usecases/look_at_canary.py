"""Somebody asks, by a command and without an incident, for the logs, a probe or the metrics of a target."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.canary_looks import CanaryLook, LogKind
from bot.domain.guide import Does
from bot.domain.ids import ChannelId, PersonId, TargetName
from bot.usecases.authorize import authorize, refusal_facts
from bot.usecases.find_out import FINDING, Asked, Looking, look
from bot.usecases.ports import Clock, Notice, People, Said, Steps, Store, Transaction, Workflow


@dataclass(frozen=True, kw_only=True)
class AskForLook:
    """Who wants to see what of `target`; the answer goes to `person` in `channel`."""

    key: str
    look: CanaryLook
    target: TargetName
    person: PersonId
    channel: ChannelId
    acting_team: str | None


async def ask_for_look(asked: AskForLook, *, store: Store, clock: Clock) -> None:
    """Write the question down, once per `key`; a workflow answers."""
    now = clock()

    def remember(tx: Transaction) -> None:
        if tx.first_time(asked.key, at=now):
            start_look(tx, asked)

    await store.change(remember)


def start_look(tx: Transaction, asked: AskForLook) -> None:
    """Start the workflow that looks and tells."""
    wanted = asked.look
    tx.start(
        Workflow.CANARY_LOOK,
        asked.key,
        key=asked.key,
        target=asked.target,
        person=asked.person,
        channel=asked.channel,
        **({"team": asked.acting_team} if asked.acting_team else {}),
        does=wanted.does.value,
        log=wanted.log.value,
        requests=str(wanted.requests),
        pause_ms=str(wanted.pause_ms),
    )


@dataclass(frozen=True, kw_only=True)
class LookingAtCanary:
    """What a look by command may touch."""

    looking: Looking
    people: People


async def look_at_canary(arguments: Mapping[str, str], *, steps: Steps, use: LookingAtCanary) -> None:
    """Read once and tell the person who asked; a picture follows the metrics."""
    notice = await steps.step("read", lambda: _read(arguments, use), into=Notice)
    await steps.step("tell", lambda: _tell(arguments, notice, use), into=str)


async def _read(arguments: Mapping[str, str], use: LookingAtCanary) -> Notice:
    person, channel = PersonId(arguments["person"]), ChannelId(arguments["channel"])
    playbook = use.looking.reporting.playbooks.current()
    no = await authorize(
        person, None, acting_team=arguments.get("team"), playbook=playbook, people=use.people
    )
    if no is not None:
        return Notice(what=Said.REFUSED, person=person, channel=channel, facts=refusal_facts(no))
    name = TargetName(arguments["target"])
    wanted = CanaryLook(
        does=Does(arguments["does"]),
        log=LogKind(arguments["log"]),
        requests=int(arguments["requests"]),
        pause_ms=int(arguments["pause_ms"]),
    )
    asked = Asked(action=wanted.action(), name=name, target=playbook.targets[name])
    found = await look(asked, use.looking)
    facts = {"finding": FINDING.dump_python(found, mode="json")}
    return Notice(what=Said.CANARY_FINDING, person=person, channel=channel, facts=facts)


async def _tell(arguments: Mapping[str, str], notice: Notice, use: LookingAtCanary) -> str:
    key = arguments["key"]

    def tell(tx: Transaction) -> str:
        tx.tell(notice, key=f"look:{key}")
        if notice.what is Said.CANARY_FINDING and arguments["does"] == Does.METRICS:
            who = {"target": arguments["target"], "person": notice.person, "channel": notice.channel}
            tx.start(Workflow.PICTURE, key, key=key, **who)
        return notice.what

    return await use.looking.reporting.store.change(tell)
