"""Calling people: who is called when, who answers, and what everybody is told."""

import pytest

from bot.domain.acts import Verb
from bot.domain.ids import PersonId
from bot.domain.incident import IncidentState, Severity
from bot.domain.paging import PageState
from bot.domain.timeline import Event
from bot.usecases.escalate_page import redirect_page
from bot.usecases.my_tasks import my_waiting_pages
from bot.usecases.ports import Said, Workflow
from tests.paging import a_playbook_with_contacts, contact
from tests.unit.usecases.paging_world import PagingWorld, a_world
from tests.values import GITCO, LUBIT, SENA, a_person

MINUTE = 60


async def test_a_page_is_posted_where_the_contact_is_and_told_in_the_timeline() -> None:
    world = await a_world()

    page = await world.page("backend", reason="<!channel> errors")

    message = world.store.kept.messages[f"page:{page.id}"]
    assert (message.channel, page.asked_by, page.reason) == ("#backend", SENA, "<!channel> errors")
    assert world.facts(Event.PAGE_SENT)["name"] == "Gitco"
    assert world.told() == [Said.PAGED]


async def test_every_member_may_call_somebody_but_no_guest() -> None:
    world = await a_world()
    world.people.people[PersonId("U0GUEST")] = a_person("U0GUEST", guest=True)

    await world.page(by=LUBIT)
    await world.act(Verb.PAGE, PersonId("U0GUEST"), contact="backend")

    assert [page.asked_by for page in world.pages()] == [LUBIT]
    assert world.told() == [Said.PAGED, Said.REFUSED]


async def test_the_same_request_again_calls_nobody_again() -> None:
    world = await a_world()

    await world.act(Verb.PAGE, key="same", contact="backend")
    await world.act(Verb.PAGE, key="same", contact="backend")

    assert len(world.pages()) == 1


async def test_whoever_is_being_called_is_not_called_twice() -> None:
    world = await a_world()

    await world.page("backend")
    await world.page("backend", by=LUBIT)

    assert len(world.pages()) == 1
    assert world.told() == [Said.PAGED, Said.PAGED_BEFORE]


async def test_an_answer_stops_the_clock_and_gives_the_free_role() -> None:
    world = await a_world()
    page = await world.page("backend")

    world.clock.now += (page.due_at - page.created_at) / 2
    await world.act(Verb.ANSWER_PAGE, GITCO, page=page.id)
    await world.later(10 * MINUTE)

    (answered,) = world.pages()
    assert (answered.state, answered.answered_by) == (PageState.ANSWERED, GITCO)
    assert world.incident().roles == {"backend": GITCO}
    assert world.facts(Event.PAGE_ANSWERED)["after_seconds"] == 60
    assert not [id for id in world.store.kept.timers if id.startswith(f"{Workflow.PAGE}:")]


async def test_a_role_that_is_taken_stays_with_whoever_has_it() -> None:
    world = await a_world(roles={"backend": LUBIT})
    page = await world.page("backend")

    await world.act(Verb.ANSWER_PAGE, GITCO, page=page.id)

    assert world.incident().roles == {"backend": LUBIT}


async def test_somebody_may_answer_for_another_and_that_is_written_down() -> None:
    world = await a_world()
    page = await world.page("backend")

    await world.act(Verb.ANSWER_PAGE, LUBIT, page=page.id)

    assert world.pages()[0].answered_by == LUBIT
    assert world.facts(Event.PAGE_ANSWERED)["instead_of"] == GITCO


async def test_of_two_who_answer_the_first_is_on_it_and_the_other_kindly_told() -> None:
    world = await a_world()
    page = await world.page("backend")

    await world.act(Verb.ANSWER_PAGE, GITCO, page=page.id)
    await world.act(Verb.ANSWER_PAGE, LUBIT, page=page.id)
    await world.act(Verb.ANSWER_PAGE, GITCO, page=page.id)

    assert world.pages()[0].answered_by == GITCO
    assert world.events().count(Event.PAGE_ANSWERED) == 1
    assert world.told()[1:] == [Said.PAGE_TAKEN, Said.PAGE_YOURS]
    assert world.store.notices()[1]["by"] == GITCO


async def test_unanswered_in_time_the_next_in_line_is_called_with_the_same_reason() -> None:
    world = await a_world()
    first = await world.page(reason="errors")

    await world.later(MINUTE)

    unanswered, following = world.pages()
    assert unanswered.state is PageState.UNANSWERED
    assert (following.contact, following.origin, following.attempt) == ("backend", first.id, 2)
    assert (following.reason, following.asked_by) == ("errors", SENA)
    assert world.events()[-2:] == [Event.PAGE_UNANSWERED, Event.PAGE_SENT]


async def test_not_before_its_time_is_anybody_else_called() -> None:
    world = await a_world()
    await world.page()

    await world.later(MINUTE - 1)

    assert [page.state for page in world.pages()] == [PageState.WAITING]


async def test_cant_calls_the_next_at_once_and_keeps_the_reason() -> None:
    world = await a_world()
    page = await world.page()

    await world.act(Verb.DECLINE_PAGE, SENA, page=page.id, why="on a train")

    declined, following = world.pages()
    assert (declined.state, declined.why) == (PageState.DECLINED, "on a train")
    assert following.contact == "backend"
    assert world.facts(Event.PAGE_DECLINED)["why"] == "on a train"


async def test_an_empty_slot_is_said_and_the_manager_is_to_be_telephoned() -> None:
    world = await a_world()
    page = await world.page("devops")

    await world.later(2 * MINUTE)

    (manager,) = world.waiting()
    assert (manager.contact, manager.channel, manager.origin) == ("manager", "#critical-incidents", page.id)
    assert world.facts(Event.PAGE_SLOT_EMPTY)["contact"] == "nobody"
    assert world.facts(Event.PAGE_SENT)["phone"] == "+82 2 1234 5678"


async def test_calling_an_empty_slot_says_so_and_calls_the_next() -> None:
    world = await a_world()

    page = await world.page("nobody")

    assert page.contact == "manager"
    assert [empty["contact"] for empty in world.store.notices()[0]["empty"]] == ["nobody"]


async def test_calling_an_empty_slot_with_nobody_behind_it_calls_nobody_and_says_so() -> None:
    world = await a_world(playbook=a_playbook_with_contacts(contact("manager", name="")))

    await world.act(Verb.PAGE, contact="nobody")
    await world.act(Verb.PAGE, contact="stranger")

    assert world.pages() == []
    assert world.told() == [Said.PAGE_NOBODY] * 2


async def test_at_the_end_of_the_line_the_incident_channel_is_told() -> None:
    world = await a_world()
    page = await world.page("manager")

    await world.later(5 * MINUTE)

    message = world.store.kept.messages[f"page_end:{page.id}"]
    assert message.channel == "#critical-incidents"
    assert world.events()[-2:] == [Event.PAGE_UNANSWERED, Event.PAGE_NOBODY_LEFT]
    assert world.waiting() == []


async def test_no_answer_on_the_telephone_ends_the_line_at_once() -> None:
    world = await a_world()
    page = await world.page("manager")

    await world.act(Verb.NO_ANSWER, LUBIT, page=page.id)

    assert world.pages()[0].state is PageState.UNANSWERED
    assert world.events()[-1] is Event.PAGE_NOBODY_LEFT


async def test_whoever_telephoned_does_not_get_the_managers_role() -> None:
    world = await a_world()
    page = await world.page("manager")

    await world.act(Verb.ANSWER_PAGE, LUBIT, page=page.id)

    assert world.pages()[0].state is PageState.ANSWERED
    assert world.incident().roles == {}
    assert world.facts(Event.PAGE_ANSWERED)["called"] is True


async def test_a_late_answer_counts_and_calls_the_others_off() -> None:
    world = await a_world()
    first = await world.page()
    await world.later(MINUTE)

    await world.act(Verb.ANSWER_PAGE, SENA, page=first.id)
    await world.later(10 * MINUTE)

    late, other = world.pages()
    assert (late.state, late.late, late.answered_by) == (PageState.UNANSWERED, True, SENA)
    assert other.state is PageState.CALLED_OFF
    assert world.incident().roles == {"deployment_lead": SENA}
    assert world.told() == [Said.PAGED]


async def test_who_comes_late_where_somebody_is_on_it_is_thanked_and_written_down() -> None:
    world = await a_world()
    first = await world.page()
    await world.later(MINUTE)
    await world.act(Verb.ANSWER_PAGE, GITCO, page=world.waiting()[0].id)

    await world.act(Verb.ANSWER_PAGE, SENA, page=first.id)

    assert world.told()[-1] == Said.PAGE_TAKEN
    assert (world.store.notices()[-1]["by"], world.store.notices()[-1]["late"]) == (GITCO, True)
    assert world.facts(Event.PAGE_ANSWERED_LATE)["other"] == GITCO


async def test_after_the_end_of_the_line_a_late_answer_is_shown_where_it_was_told() -> None:
    world = await a_world()
    page = await world.page("manager")
    await world.later(5 * MINUTE)

    await world.act(Verb.ANSWER_PAGE, LUBIT, page=page.id)

    assert world.shown(f"page_end:{page.id}") == 2


async def test_an_answer_calls_off_another_escalation_that_has_come_to_the_same_contact() -> None:
    world = await a_world()
    first = await world.page("backend")
    await world.page()
    await world.later(MINUTE)

    await world.act(Verb.ANSWER_PAGE, GITCO, page=first.id)

    assert world.waiting() == []
    assert sum(page.state is PageState.CALLED_OFF for page in world.pages()) == 1


async def test_an_answer_leaves_a_call_to_somebody_else_alone() -> None:
    world = await a_world()
    backend = await world.page("backend")
    await world.page("devops")

    await world.act(Verb.ANSWER_PAGE, GITCO, page=backend.id)

    assert [page.contact for page in world.waiting()] == ["devops"]


@pytest.mark.parametrize("verb", [Verb.ANSWER_PAGE, Verb.DECLINE_PAGE, Verb.NO_ANSWER])
async def test_a_press_on_a_declined_page_says_who_is_called_now(verb: Verb) -> None:
    world = await a_world()
    page = await world.page()
    await world.act(Verb.DECLINE_PAGE, SENA, page=page.id)
    before = world.pages()

    await world.act(verb, LUBIT, page=page.id)

    assert world.pages() == before
    assert (world.told()[-1], world.store.notices()[-1]["next"]["contact"]) == (Said.PAGE_ENDED, "backend")


async def test_closing_the_incident_calls_off_whoever_is_being_called() -> None:
    world = await a_world()
    page = await world.page()

    await world.act(Verb.CLOSE)
    await world.act(Verb.ANSWER_PAGE, GITCO, page=page.id)
    await world.later(10 * MINUTE)

    assert [p.state for p in world.pages()] == [PageState.CALLED_OFF]
    assert world.told()[-1] == Said.ALREADY_CLOSED


async def test_a_page_that_wakes_up_in_a_closed_incident_calls_nobody() -> None:
    world = await a_world()
    await world.page()
    await world.change(state=IncidentState.CLOSED, closed_at=world.clock())

    await world.later(MINUTE)

    assert [p.state for p in world.pages()] == [PageState.CALLED_OFF]


# By severity.

AT_CRITICAL = a_playbook_with_contacts(contact("deployment_lead", page_at=["critical"]))


async def test_a_critical_incident_calls_the_lead_by_itself() -> None:
    world = await a_world(playbook=AT_CRITICAL, severity=Severity.CRITICAL)

    (page,) = world.pages()
    assert (page.contact, page.asked_by) == ("deployment_lead", "backout")


async def test_a_lesser_incident_calls_nobody_until_it_is_critical() -> None:
    world = await a_world(playbook=AT_CRITICAL)
    assert world.pages() == []

    await world.act(Verb.SEVERITY, severity="critical", why="it spreads")

    assert [page.contact for page in world.pages()] == ["deployment_lead"]


async def test_a_severity_that_comes_back_calls_nobody_again() -> None:
    world = await a_world(playbook=AT_CRITICAL)

    for severity in ("critical", "high", "critical"):
        await world.act(Verb.SEVERITY, severity=severity, why="see")

    assert len(world.pages()) == 1


async def test_who_is_being_called_already_is_not_called_by_severity() -> None:
    world = await a_world(playbook=AT_CRITICAL)
    await world.page()

    await world.act(Verb.SEVERITY, severity="critical", why="it spreads")

    assert len(world.pages()) == 1


# Elsewhere, and mine.


async def redirected(world: PagingWorld, id: str) -> str | None:
    current, now = world.playbooks.current(), world.clock()
    return await world.store.change(
        lambda tx: redirect_page(tx, id, current, why="channel_not_found", at=now)
    )


async def test_a_page_whose_channel_is_gone_goes_to_the_incident_channel_and_says_so_once() -> None:
    world = await a_world()
    page = await world.page("backend")

    places = [await redirected(world, page.id) for _ in range(2)]

    assert places == ["#critical-incidents"] * 2
    assert world.pages()[0].channel == "#critical-incidents"
    assert world.events().count(Event.PAGE_ELSEWHERE) == 1
    assert world.facts(Event.PAGE_ELSEWHERE)["channel"] == "#backend"


async def test_a_page_in_the_incident_channel_has_no_other_place() -> None:
    world = await a_world()
    page = await world.page("manager")

    assert await redirected(world, page.id) is None


async def test_a_page_is_mine_by_the_playbook_or_by_the_role_i_took() -> None:
    world = await a_world(roles={"devops": LUBIT})
    await world.page("backend")
    await world.page("devops")

    async def mine(person: PersonId) -> list[str]:
        found = await world.store.look(lambda tx: my_waiting_pages(tx, person, world.playbooks))
        return [page.contact for page in found]

    assert (await mine(GITCO), await mine(LUBIT), await mine(SENA)) == (["backend"], ["devops"], [])
