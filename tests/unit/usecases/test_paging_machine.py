"""Any calls, answers, refusals and silences, in any order, with replicas that wake up twice."""

from collections import Counter
from collections.abc import Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.domain.acts import Verb
from bot.domain.incident import IncidentState
from bot.domain.paging import Page, PageState
from bot.domain.timeline import Event, first_broken
from bot.usecases.ports import Workflow
from tests.paging import CONTACTS
from tests.unit.usecases.paging_world import PagingWorld
from tests.values import GITCO, LUBIT, SENA

people = st.sampled_from([SENA, GITCO, LUBIT])
#: How a page ends without help, and then somebody else is called or nobody is left.
WITHOUT_HELP = (PageState.UNANSWERED, PageState.DECLINED)


def run(doing: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that waits for nothing, as everything does over fakes."""
    try:
        doing.send(None)
    except StopIteration:
        return
    raise AssertionError("a fake waited for something")


class Paging(RuleBasedStateMachine):
    """One incident, whose people do what they like."""

    def __init__(self) -> None:
        super().__init__()
        self.world = PagingWorld()
        run(self._open())

    async def _open(self) -> None:
        await self.world.open()

    @property
    def pages(self) -> list[Page]:
        """All pages, oldest first."""
        return self.world.pages()

    def some(self, data: st.DataObject) -> Page:
        """Choose a page, the newest ones more often."""
        return data.draw(st.sampled_from([*self.pages, *self.pages[-2:]]))

    @rule(by=people, contact=st.sampled_from([*CONTACTS, "stranger"]), twice=st.booleans())
    def call(self, by: Any, contact: str, twice: bool) -> None:
        key = f"call:{len(self.pages)}:{contact}:{by}"
        for _ in range(1 + twice):
            run(self.world.act(Verb.PAGE, by, key=key, contact=contact, reason="errors"))

    @precondition(lambda self: self.pages)
    @rule(
        by=people, data=st.data(), verb=st.sampled_from([Verb.ANSWER_PAGE, Verb.DECLINE_PAGE, Verb.NO_ANSWER])
    )
    def press(self, by: Any, data: st.DataObject, verb: Verb) -> None:
        run(self.world.act(verb, by, page=self.some(data).id, why="busy"))

    @rule(passed=st.sampled_from([1, 30, 60, 120, 400]))
    def time_goes_by(self, passed: int) -> None:
        run(self.world.later(passed))

    @precondition(lambda self: self.pages)
    @rule(data=st.data())
    def an_old_timer_wakes_up_again(self, data: st.DataObject) -> None:
        page = self.some(data)
        if page.state is not PageState.WAITING:
            before = self.pages
            run(self.world.woken(Workflow.PAGE, {"page": page.id, "incident": "1"}))
            assert self.pages == before

    @precondition(lambda self: self.pages)
    @rule()
    def close(self) -> None:
        run(self.world.act(Verb.CLOSE, SENA))
        assert self.world.waiting() == []

    @invariant()
    def no_escalation_waits_for_two(self) -> None:
        waiting = Counter(page.origin for page in self.world.waiting())
        assert all(count == 1 for count in waiting.values())

    @invariant()
    def an_escalation_calls_nobody_twice_and_counts_its_attempts(self) -> None:
        for origin in {page.origin for page in self.pages}:
            line = [page for page in self.pages if page.origin == origin]
            assert len({page.contact for page in line}) == len(line)
            assert sorted(page.attempt for page in line) == list(range(1, len(line) + 1))

    @invariant()
    def every_escalation_waits_or_has_help_or_the_channel_was_told(self) -> None:
        if self.world.incident().state is IncidentState.CLOSED:
            return
        for origin in {page.origin for page in self.pages}:
            line = [page for page in self.pages if page.origin == origin]
            goes_on = any(p.state not in WITHOUT_HELP for p in line)
            told = self.world.shown(f"page_end:{origin}") > 0
            assert goes_on != told or any(p.late for p in line)

    @invariant()
    def where_somebody_is_on_it_nobody_is_called_any_more(self) -> None:
        helped = {page.origin for page in self.pages if page.answered_by is not None}
        assert not helped & {page.origin for page in self.world.waiting()}

    @invariant()
    def what_waits_has_a_timer_and_nothing_else_has(self) -> None:
        timers = {id for id in self.world.store.kept.timers if id.startswith("page:")}
        assert timers == {f"page:{page.id}" for page in self.world.waiting()}

    @invariant()
    def nobody_is_said_to_have_answered_in_time_twice(self) -> None:
        chain = self.world.store.kept.chains.get("incident:1", ())
        answered = [e.facts["page"] for e in chain if e.event is Event.PAGE_ANSWERED]
        assert len(answered) == len(set(answered))
        assert set(answered) == {p.id for p in self.pages if p.state is PageState.ANSWERED}
        assert first_broken(chain) is None

    def teardown(self) -> None:
        """Left alone, everything comes to an end."""
        for _ in range(2 * len(CONTACTS)):
            run(self.world.later(600))
        assert self.world.waiting() == []


Paging.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestPaging = Paging.TestCase
