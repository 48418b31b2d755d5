"""The use-cases' world with an open incident and people who answer, decline or do nothing."""

from dataclasses import replace
from typing import Any

from bot.domain.acts import Verb
from bot.domain.follow_up import FollowUp
from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.incident import Incident
from bot.domain.paging import Page, PageState
from bot.domain.playbook import Playbook
from bot.domain.timeline import Event
from bot.usecases.act import accept_act, carry_out_act
from bot.usecases.deeds import DEEDS
from bot.usecases.escalate_page import escalate_page
from bot.usecases.open_incident import open_incident
from bot.usecases.ports import Workflow
from bot.usecases.remind_follow_up import remind_follow_up
from tests.fakes import FakePlaybooks, FakeSteps
from tests.paging import a_playbook_with_contacts, an_act
from tests.unit.usecases.world import World
from tests.values import SENA, an_incident, seconds

ONE = IncidentNumber(1)


class PagingWorld(World):
    """Acts run at once; what is due runs when the clock is moved."""

    def __init__(self, playbook: Playbook | None = None) -> None:
        super().__init__()
        self.playbooks = FakePlaybooks(playbook or a_playbook_with_contacts())
        self._acts = 0

    async def open(self, **more: Any) -> Incident:
        """Open an incident, and run what that starts."""
        draft, playbook, now = an_incident(**more), self.playbooks.current(), self.clock()
        opened = await self.store.change(lambda tx: open_incident(tx, draft, playbook=playbook, at=now))
        for arguments in self.store.started(Workflow.PAGE):
            await self.woken(Workflow.PAGE, dict(arguments))
        return opened

    async def act(
        self, verb: Verb, by: PersonId = SENA, *, key: str = "", number: int = 1, **words: str
    ) -> None:
        """Do something and carry it out."""
        self._acts += 1
        act = an_act(verb, by, key=key or f"k{self._acts}", number=number, **words)
        await accept_act(act, store=self.store, clock=self.clock)
        _, arguments = self.store.kept.workflows[f"{Workflow.ACT}:{number}:{verb}:{act.key}"]
        await carry_out_act(arguments, steps=FakeSteps(), use=self.acting, deeds=DEEDS)

    async def page(self, contact: str = "deployment_lead", by: PersonId = SENA, reason: str = "") -> Page:
        """Call a contact and return the page."""
        await self.act(Verb.PAGE, by, contact=contact, reason=reason)
        return self.pages()[-1]

    async def later(self, passed: float) -> None:
        """Let `passed` seconds go by and run what is due, each twice as replicas might."""
        self.clock.now += seconds(passed)
        known = set(self.store.kept.workflows)
        await self.store.change(lambda tx: tx.wake_due(self.clock()))
        for id, (workflow, arguments) in dict(self.store.kept.workflows).items():
            if id not in known:
                await self.woken(workflow, dict(arguments))
                await self.woken(workflow, dict(arguments))

    async def woken(self, workflow: Workflow, arguments: dict[str, str]) -> None:
        """Run one woken workflow of ours."""
        runs = {Workflow.PAGE: escalate_page, Workflow.FOLLOW_UP: remind_follow_up}
        if workflow in runs:
            await runs[workflow](
                arguments,
                steps=FakeSteps(),
                store=self.store,
                playbooks=self.playbooks,
                clock=self.clock,
            )

    async def change(self, **more: Any) -> None:
        """Change the incident as another use-case would."""
        incident = self.incident()
        await self.store.change(lambda tx: tx.save_incident(replace(incident, **more)))

    # What tests ask.

    def incident(self) -> Incident:
        """Return the incident as stored."""
        return self.store.kept.incidents[ONE]

    def pages(self) -> list[Page]:
        """Return all pages, oldest first."""
        found = [value for (kind, _), value in self.store.kept.shelf.items() if kind is Page]
        return sorted(found, key=lambda page: (page.created_at, page.attempt))

    def waiting(self) -> list[Page]:
        """Return the pages that wait for an answer."""
        return [page for page in self.pages() if page.state is PageState.WAITING]

    def follow_up(self, key: str) -> FollowUp:
        """Return one of the incident's follow-ups."""
        found: FollowUp = self.store.kept.shelf[FollowUp, f"1-{key}"]
        return found

    def told(self) -> list[str]:
        """Return what was said to people, in order."""
        return [str(notice["what"]) for notice in self.store.notices()]

    def events(self) -> list[Event]:
        """Return the incident's timeline."""
        return self.store.events("incident:1")

    def facts(self, event: Event) -> dict[str, Any]:
        """Return the facts of the last line of a kind."""
        lines = [e for e in self.store.kept.chains["incident:1"] if e.event is event]
        return dict(lines[-1].facts)

    def shown(self, key: str) -> int:
        """Return how often a message was asked to be shown."""
        message = self.store.kept.messages.get(key)
        return message.wanted if message else 0


async def a_world(**more: Any) -> PagingWorld:
    """Return a world with incident 1 open."""
    world = PagingWorld(more.pop("playbook", None))
    await world.open(**more)
    return world
