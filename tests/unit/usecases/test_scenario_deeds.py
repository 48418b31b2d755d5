"""What people do on a scenario's card: answered once, held back where it must be, looked up once."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.acts import Act, Verb
from bot.domain.checklist import StepState
from bot.domain.diagnosis import Given
from bot.domain.faults import CloudFault, FaultKind
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import Incident, IncidentState
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Entry, Event
from bot.usecases.act import accept_act, carry_out_act
from bot.usecases.decide_rollback import Choice, Decision, accept_decision, decide_rollback
from bot.usecases.deeds import DEEDS
from bot.usecases.find_out import FINDING, Looking, find_out
from bot.usecases.open_incident import open_incident
from bot.usecases.ports import Showing, Transaction, Workflow
from tests.fakes import FakeLogs, FakePlaybooks, FakeSteps
from tests.guide import in_scenario, the_guide
from tests.unit.usecases.world import World
from tests.values import (
    GITCO,
    LUBIT,
    NOON,
    SENA,
    a_person,
    a_plan,
    a_rollback,
    a_services_state,
    a_state,
    seconds,
    share,
)

CHANNEL = ChannelId("C0CRITICAL")
#: In nobody's role: they may answer and look, but not roll back.
LEMUN = "U0NOBODY"


class Scene:
    """A world with one open incident in a scenario of the guide."""

    def __init__(self, **world: Any) -> None:
        self.world = World(**world)
        self.world.playbooks = FakePlaybooks(the_guide())
        self.world.people.people[LEMUN] = a_person(LEMUN)  # type: ignore[index]
        self.world.people.groups["S0DEVOPS"] = frozenset({LUBIT})
        self.logs = FakeLogs()
        self.number = IncidentNumber(0)
        self._keys = 0

    async def open(self, scenario: str, **more: Any) -> "Scene":
        """Open the incident."""
        draft = in_scenario(scenario, **more)
        guide = the_guide()
        opened = await self.world.store.change(lambda tx: open_incident(tx, draft, playbook=guide, at=NOON))
        self.number = opened.number
        return self

    async def does(self, verb: Verb, person: str = SENA, key: str | None = None, **words: str) -> None:
        """Let somebody act, as from a button."""
        self._keys += 1
        act = Act(
            verb=verb,
            incident=self.number,
            person=person,  # type: ignore[arg-type]
            acting_team=None,
            channel=CHANNEL,
            key=key or f"press:{self._keys}",
            words=words,
        )
        await accept_act(act, store=self.world.store, clock=self.world.clock)
        *_, arguments = self.world.store.started(Workflow.ACT)
        await carry_out_act(arguments, steps=FakeSteps(), use=self.world.acting, deeds=DEEDS)

    async def looks(self, where: str, person: str = SENA) -> None:
        """Press a button that reads."""
        await self.does(Verb.LOOK, person, where=where)

    async def reads(self) -> None:
        """Run the newest look."""
        *_, arguments = self.world.store.started(Workflow.LOOK)
        use = Looking(reporting=self.world.reporting, logs=self.logs, prober=self.world.prober)
        await find_out(arguments, steps=FakeSteps(), use=use)

    @property
    def incident(self) -> Incident:
        """The incident as stored."""
        return self.world.store.kept.incidents[self.number]

    def told(self) -> list[str]:
        """What people were told, by name."""
        return [str(facts["what"]) for facts in self.world.store.notices()]

    def lines(self, event: Event) -> list[Entry]:
        """The timeline's lines of that kind."""
        chain = self.world.store.kept.chains.get(f"incident:{self.number}", ())
        return [entry for entry in chain if entry.event is event]

    def asked(self) -> list[tuple[str, bool, str]]:
        """The rollbacks that were asked for: target, forced, reason."""
        return [(r.target, r.forced, r.reason) for r in self.world.store.kept.rollbacks.values()]


async def test_an_answer_is_stored_told_in_the_timeline_and_shown() -> None:
    scene = await Scene().open("response_time")
    before = scene.world.store.kept.messages["diagnosis:1"].wanted

    await scene.does(Verb.ANSWER, LEMUN, question="all_endpoints", answer="no", was="")

    assert scene.incident.answers == (Given(question="all_endpoints", answer="no", by=LEMUN, at=NOON),)  # type: ignore[arg-type]
    (line,) = scene.lines(Event.QUESTION_ANSWERED)
    assert (line.actor, line.facts["means"]["en"], line.facts["revised"]) == (
        LEMUN,
        "One feature (recommendation engine)",
        False,
    )
    assert scene.world.store.kept.messages["diagnosis:1"].wanted == before + 1


async def test_of_two_who_answer_at_once_the_second_is_told_who_was_faster() -> None:
    scene = await Scene().open("response_time")

    await scene.does(Verb.ANSWER, SENA, question="all_endpoints", answer="no", was="")
    await scene.does(Verb.ANSWER, GITCO, question="all_endpoints", answer="yes", was="")

    assert [(g.answer, g.by) for g in scene.incident.answers] == [("no", SENA)]
    assert scene.told() == ["answered_meanwhile"]
    assert scene.world.store.notices()[0]["by"] == SENA
    assert len(scene.lines(Event.QUESTION_ANSWERED)) == 1


async def test_who_saw_the_answer_can_revise_it_and_what_followed_from_it_goes() -> None:
    scene = await Scene().open("memory")
    await scene.does(Verb.ANSWER, question="every_instance", answer="yes", was="")
    await scene.does(Verb.ANSWER, question="since_when", answer="later", was="")

    await scene.does(Verb.ANSWER, GITCO, question="every_instance", answer="no", was="yes")

    assert [(g.question, g.answer) for g in scene.incident.answers] == [
        ("every_instance", "no"),
        ("since_when", "later"),
    ]
    assert [e.facts["revised"] for e in scene.lines(Event.QUESTION_ANSWERED)] == [False, False, True]


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("response_time", {"question": "resources_normal", "answer": "yes", "was": ""}),
        ("response_time", {"question": "since_when", "answer": "later", "was": ""}),
        ("response_time", {"question": "all_endpoints", "answer": "perhaps", "was": ""}),
        ("no_such_scenario", {"question": "all_endpoints", "answer": "yes", "was": ""}),
    ],
)
async def test_a_button_from_an_older_card_changes_nothing(scenario: str, words: dict[str, str]) -> None:
    scene = await Scene().open(scenario)

    await scene.does(Verb.ANSWER, **words)

    assert scene.incident.answers == ()
    assert scene.told() == ["older_state"]


async def test_a_closed_incident_takes_no_answers() -> None:
    scene = await Scene().open("response_time", state=IncidentState.CLOSED, closed_at=NOON)

    await scene.does(Verb.ANSWER, question="all_endpoints", answer="yes", was="")

    assert (scene.incident.answers, scene.told()) == ((), ["already_closed"])


# Before a rollback.


@pytest.mark.parametrize(("forced", "how"), [("yes", True), ("", False)])
async def test_where_nothing_comes_first_the_button_asks_for_the_rollback(forced: str, how: bool) -> None:
    scene = await Scene().open("memory")

    await scene.does(Verb.ASK_ROLLBACK, forced=forced, all_the_same="", reason="Memory explosion")

    assert scene.asked() == [("canary", how, "Memory explosion")]
    (started,) = scene.world.store.started(Workflow.PREPARE)
    assert started["rollback"] in scene.world.store.kept.rollbacks


async def test_whoever_may_not_roll_back_is_refused_where_every_rollback_is() -> None:
    scene = await Scene().open("memory")
    await scene.does(Verb.ASK_ROLLBACK, LEMUN, forced="yes", all_the_same="", reason="")
    (id,) = scene.world.store.kept.rollbacks

    await scene.world.prepare(id)

    assert scene.world.store.rollback(id).state is RollbackState.REFUSED
    assert scene.told() == ["refused"]


async def test_lost_data_is_not_rolled_back_before_the_question_was_answered() -> None:
    scene = await Scene().open("data_loss")

    await scene.does(Verb.ASK_ROLLBACK, forced="yes", all_the_same="yes", reason="")

    assert (scene.asked(), scene.told()) == ([], ["safety_first"])


@pytest.mark.parametrize(("then", "forced"), [("force", True), ("roll_back", False)])
async def test_an_answer_that_clears_the_way_rolls_back_in_the_same_breath(then: str, forced: bool) -> None:
    scene = await Scene().open("data_loss")

    await scene.does(Verb.ANSWER, question="migration", answer="no", then=then, reason="Data loss")

    assert scene.asked() == [("canary", forced, "Data loss")]
    assert len(scene.lines(Event.SAFETY_ANSWERED)) == 1


@pytest.mark.parametrize("answer", ["yes", "not_known"])
async def test_an_answer_that_holds_back_rolls_nothing_back_and_says_what_it_means(answer: str) -> None:
    scene = await Scene().open("data_loss")

    await scene.does(Verb.ANSWER, question="migration", answer=answer, then="force", reason="")

    assert scene.asked() == []
    assert scene.told() == ["held_back"]
    assert scene.world.store.notices()[0]["means"]["en"]
    assert scene.incident.answers[0].answer == answer


async def test_a_second_thought_rolls_back_all_the_same() -> None:
    scene = await Scene().open("data_loss")
    await scene.does(Verb.ANSWER, question="migration", answer="yes", then="", reason="")

    await scene.does(Verb.ASK_ROLLBACK, forced="yes", all_the_same="", reason="")
    assert (scene.asked(), scene.told()) == ([], ["held_back"])

    await scene.does(Verb.ASK_ROLLBACK, forced="yes", all_the_same="yes", reason="")
    assert scene.asked() == [("canary", True, "")]


async def test_who_gives_the_same_answer_meanwhile_still_gets_the_rollback() -> None:
    scene = await Scene().open("data_loss")
    await scene.does(Verb.ANSWER, GITCO, question="migration", answer="no", was="")

    await scene.does(Verb.ANSWER, SENA, question="migration", answer="no", then="force", reason="x")

    assert scene.asked() == [("canary", True, "x")]
    assert len(scene.lines(Event.SAFETY_ANSWERED)) == 1


async def a_typed_rollback(scene: Scene, **more: Any) -> str:
    rollback = a_rollback(plan=a_plan(), before=(), **more)
    await scene.world.keep(rollback)
    return rollback.id


async def test_a_typed_rollback_waits_for_the_question_too() -> None:
    scene = await Scene().open("data_loss")
    id = await a_typed_rollback(scene)

    async def press(key: str, *, all_the_same: bool = False) -> RollbackState:
        decision = Decision(
            rollback=id,  # type: ignore[arg-type]
            choice=Choice.ROLL_BACK,
            person=SENA,
            acting_team=None,
            channel=CHANNEL,
            all_the_same=all_the_same,
        )
        await accept_decision(key, decision, store=scene.world.store, clock=scene.world.clock)
        *_, arguments = scene.world.store.started(Workflow.DECIDE)
        await decide_rollback(arguments, steps=FakeSteps(), use=scene.world.acting)
        return scene.world.store.rollback(id).state

    assert await press("1") is RollbackState.ASKED
    await scene.does(Verb.ANSWER, question="migration", answer="yes", was="", rollback=id)
    assert await press("2") is RollbackState.ASKED
    assert scene.told() == ["safety_first", "held_back"]
    assert f"rollback:{id}" in scene.world.store.kept.messages
    assert await press("3", all_the_same=True) is RollbackState.REQUESTED


async def test_force_never_waits_and_the_question_is_put_at_once() -> None:
    scene = await Scene().open("data_loss")
    id = await a_typed_rollback(scene, forced=True)
    rollback = replace(scene.world.store.rollback(id), plan=None)
    await scene.world.store.change(lambda tx: tx.save_rollback(rollback))

    await scene.world.prepare(id)

    assert scene.world.store.rollback(id).state is RollbackState.REQUESTED
    (line,) = scene.lines(Event.SAFETY_NOT_ASKED)
    assert "database migration" in line.facts["ask"]["en"]


# Steps and options.


async def test_a_step_is_done_and_taken_back_by_new_entries() -> None:
    scene = await Scene().open("data_loss")
    step = "clock.confirm.verify_integrity"

    await scene.does(Verb.CLOCK_STEP, LEMUN, step=step, done="yes")
    await scene.does(Verb.CLOCK_STEP, GITCO, step=step, done="yes")
    assert (scene.incident.marks[step].state, scene.incident.marks[step].by) == (StepState.DONE, LEMUN)

    await scene.does(Verb.CLOCK_STEP, GITCO, step=step, done="no")

    assert scene.incident.marks[step].state is StepState.TODO
    assert [(e.actor, e.facts["done"]) for e in scene.lines(Event.SCENARIO_STEP)] == [
        (LEMUN, True),
        (GITCO, False),
    ]
    assert scene.told() == ["step_stands"]


@pytest.mark.parametrize(
    ("scenario", "step", "told"),
    [
        ("data_loss", "clock.confirm", ["older_state"]),
        ("data_loss", "clock.nothing", ["older_state"]),
        ("memory", "clock.confirm.verify_integrity", ["older_state"]),
        ("response_time", "action.metrics", ["older_state"]),
        ("response_time", "action.find_where", []),
        ("data_loss", "clock.roll_back", []),
    ],
)
async def test_only_what_people_do_can_be_ticked_off(scenario: str, step: str, told: list[str]) -> None:
    scene = await Scene().open(scenario)

    await scene.does(Verb.CLOCK_STEP, step=step, done="yes")

    assert scene.told() == told
    assert (step in scene.incident.marks) is (told == [])


async def test_what_was_never_done_cannot_be_taken_back() -> None:
    scene = await Scene().open("data_loss")

    await scene.does(Verb.CLOCK_STEP, step="clock.roll_back", done="no")

    assert (scene.told(), dict(scene.incident.marks)) == (["step_stands"], {})


async def test_choosing_to_debug_is_written_down_with_a_kind_warning() -> None:
    scene = await Scene().open("response_time")

    await scene.does(Verb.CHOOSE_OPTION, option="hotfix")

    (line,) = scene.lines(Event.OPTION_CHOSEN)
    assert (line.facts["place"], line.facts["titles"]["en"]) == (3, "Debug, then hotfix")
    assert scene.told() == ["by_hand"]
    assert scene.world.store.notices()[0]["better"]["en"] == "Roll back"


@pytest.mark.parametrize("option", ["roll_back", "no_such_option"])
async def test_an_option_with_a_button_of_its_own_is_not_chosen_by_hand(option: str) -> None:
    scene = await Scene().open("response_time")

    await scene.does(Verb.CHOOSE_OPTION, option=option)

    assert (scene.told(), scene.lines(Event.OPTION_CHOSEN)) == (["older_state"], [])


# Looking.


async def test_several_who_press_at_once_get_one_finding() -> None:
    scene = await Scene().open("response_time")

    await scene.looks("action:metrics", SENA)
    await scene.looks("action:metrics", LEMUN)
    await scene.looks("action:slow_requests", GITCO)
    assert len(scene.world.store.started(Workflow.LOOK)) == 2

    await scene.reads()
    await scene.looks("action:slow_requests", SENA)

    assert [(e.actor, e.facts["joined"]) for e in scene.lines(Event.LOOK_ASKED)] == [
        (SENA, False),
        (LEMUN, True),
        (GITCO, False),
        (SENA, False),
    ]
    assert len(scene.world.store.started(Workflow.LOOK)) == 3


async def test_a_look_that_broke_off_does_not_stand_in_the_way_for_ever() -> None:
    scene = await Scene().open("response_time")
    await scene.looks("action:metrics")
    scene.world.clock.now += seconds(181)

    await scene.looks("action:metrics")

    assert len(scene.world.store.started(Workflow.LOOK)) == 2


@pytest.mark.parametrize("where", ["action:find_where", "action:nothing", "option:hotfix", "nonsense"])
async def test_what_cannot_be_read_is_an_older_button(where: str) -> None:
    scene = await Scene().open("response_time")

    await scene.looks(where)

    assert scene.told() == ["older_state"]
    assert scene.world.store.started(Workflow.LOOK) == []


async def found_by(scene: Scene, where: str) -> Any:
    await scene.looks(where)
    await scene.reads()
    (line,) = scene.lines(Event.FINDING)
    shown = [m for m in scene.world.store.kept.messages.values() if m.what is Showing.FINDING]
    assert [(m.subject, m.under) for m in shown] == [(f"1:{line.sequence}", "board:1")]
    return FINDING.validate_python(line.facts["finding"])


async def test_metrics_are_readings_of_both_sides_with_source_and_age() -> None:
    found = await found_by(await Scene().open("response_time"), "action:metrics")

    assert {(r.metric.value, r.side.value) for r in found.status.readings} == {
        (metric, side) for metric in ("error_rate", "p95", "memory", "cpu") for side in ("canary", "stable")
    }


async def test_slow_requests_are_looked_for_by_the_guides_filter_since_the_deployment() -> None:
    scene = await Scene().open("response_time", deployed_at=NOON - seconds(7200))

    found = await found_by(scene, "action:slow_requests")

    (asked,) = scene.logs.asked
    assert asked.filter.startswith("(resource.type=cloud_run_revision AND jsonPayload.latency_ms > 500) AND ")
    assert (asked.limit, asked.since) == (10, NOON - seconds(7200))
    assert found.by_hand.startswith("gcloud logging read '(resource.type=cloud_run_revision AND")
    assert "--limit=10" in found.by_hand


async def test_the_log_of_a_canary_that_is_gone_is_still_found_by_its_rollback() -> None:
    scene = await Scene(state=a_state(share("ion-api-00041-kim", 100))).open("service_down")
    rollback = a_rollback(plan=a_plan(), incident=scene.number)
    await scene.world.keep(rollback)

    await found_by(scene, "action:logs")

    assert 'revision_name="ion-api-00042-lee"' in scene.logs.asked[0].filter
    assert scene.logs.asked[0].limit == 50


async def test_the_service_is_described_without_its_variables() -> None:
    state = a_state(environment={"API_KEY": "secret"}, images=("ion-api:42",))

    found = await found_by(await Scene(state=state).open("service_down"), "action:describe")

    assert (found.service.name, found.service.images, dict(found.service.environment)) == (
        "ion-api",
        ("ion-api:42",),
        {},
    )
    assert found.by_hand == "gcloud run services describe ion-api --region=us-central1 --project=ion-sandbox"


async def test_a_canary_service_that_does_not_exist_is_said() -> None:
    state = replace(a_services_state(), canary=None)
    scene = await Scene(state=state).open("service_down", target="chat")

    found = await found_by(scene, "action:describe")

    assert (found.service, [r.value for r in found.remarks]) == (None, ["canary_not_there"])


async def test_both_sides_are_probed_with_the_guides_numbers() -> None:
    tagged = (
        share("ion-api-00041-kim", 90),
        replace(share("ion-api-00042-lee", 10, tag="canary"), uri="https://canary---ion-api"),
    )
    scene = await Scene(state=a_state(*tagged)).open("response_time")

    found = await found_by(scene, "action:probe_endpoint")

    assert {(p.side.value, p.url, p.sent) for p in found.probes} == {
        ("canary", "https://canary---ion-api/health", 20),
        ("stable", "https://ion-api.example.com/health", 20),
    }
    assert (found.pause_ms, [r.value for r in found.remarks]) == (100, ["stable_behind_split"])


async def test_a_canary_without_an_address_of_its_own_is_said() -> None:
    found = await found_by(await Scene().open("response_time"), "action:probe_endpoint")

    assert [p.side.value for p in found.probes] == ["stable"]
    assert "canary_has_no_address" in [r.value for r in found.remarks]


async def test_legacys_health_is_asked_once() -> None:
    found = await found_by(await Scene().open("service_down"), "action:health")

    assert [(p.side.value, p.url, p.sent) for p in found.probes] == [
        ("stable", "https://ion-api.example.com/health", 1)
    ]


@pytest.mark.parametrize("where", ["action:describe", "action:logs", "action:health"])
async def test_a_source_that_fails_is_a_sentence_and_never_a_lost_look(where: str) -> None:
    scene = await Scene().open("service_down")
    gone = CloudFault(doing="read", kind=FaultKind.UNREACHABLE, detail="no route")
    scene.world.cloud.next_looks.extend([gone] * 5)
    scene.logs.problem = "permission: denied"

    found = await found_by(scene, where)

    assert ("cloud_run", "unreachable: no route") in [(u.about.value, u.why) for u in found.unread]
    assert ("log" in [u.about.value for u in found.unread]) is (where == "action:logs")


async def test_what_was_asked_for_is_read_even_if_the_scenario_was_changed_since() -> None:
    scene = await Scene().open("response_time")
    await scene.looks("action:slow_requests")

    def change(tx: Transaction) -> None:
        tx.save_incident(replace(tx.incident(scene.number), scenario="memory"))

    await scene.world.store.change(change)
    await scene.reads()

    assert scene.lines(Event.FINDING)[0].facts["finding"]["does"] == "logs"
