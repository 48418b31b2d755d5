"""The card of an incident's scenario: choosing it, answering, looking, acting, ticking off."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.domain.acts import Act, Verb
from bot.domain.diagnosis import Safety
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import Incident, IncidentState
from bot.domain.playbook import Playbook
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.fields import Fields
from bot.slack.listeners.table import Request, Table
from bot.slack.views.diagnosis_card import diagnosis_card
from bot.slack.views.parts import plain
from bot.slack.views.safety import SAFETY_BLOCK, safety_modal
from bot.usecases.act import accept_act
from bot.usecases.before_rollback import safety_in
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Clock, Playbooks, Store, Transaction
from bot.usecases.read_circumstances import circumstances_of


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock, channel_locale: str) -> None:
    """Add them to the table. `channel_locale` is the channels' language: reasons are written in it."""

    async def accept(act: Act) -> None:
        await accept_act(act, store=store, clock=clock)

    def press(verb: Verb, *names: str) -> None:
        """Let a button carry ``number:word:word …`` to `verb`."""

        async def pressed(request: Request, action: Mapping[str, Any]) -> None:
            number, words = _carried(action, names)
            await accept(act_of(request, verb, number, **words))

        table.presses[_BUTTONS[verb]] = pressed

    async def choose_scenario(request: Request, action: Mapping[str, Any]) -> None:
        number, words = _carried(action, ("scenario",))
        await accept(act_of(request, Verb.SCENARIO, number, **words, why=""))

    async def look(request: Request, action: Mapping[str, Any]) -> None:
        number, _, where = str(action["value"]).partition(":")
        await accept(act_of(request, Verb.LOOK, IncidentNumber(int(number)), where=where))

    async def answer(request: Request, action: Mapping[str, Any]) -> None:
        number, words = _carried(action, ("question", "answer", "was", "rollback"))
        await accept(act_of(request, Verb.ANSWER, number, **words))

    async def roll_back(request: Request, action: Mapping[str, Any]) -> dict[str, Any] | None:
        number, words = _carried(action, ("how", "all_the_same"))
        forced = words["how"] == "force"
        incident, playbook, safety = await store.look(lambda tx: _known(tx, number, playbooks.current()))
        if safety is not None and safety.open and incident.state is IncidentState.OPEN:
            return safety_modal(safety, request.words, forced=forced, channel=request.sender.channel)
        act = act_of(
            request,
            Verb.ASK_ROLLBACK,
            number,
            forced="yes" if forced else "",
            all_the_same="yes" if words["all_the_same"] else "",
            reason=reason(incident, playbook),
        )
        await accept(act)
        return None

    async def before_rollback(request: Request) -> dict[str, str] | None:
        view = request.body["view"]
        number, question, how, channel = str(view["private_metadata"]).split(":", 3)
        chosen = Fields(view).chosen(ActionId.SAFETY_ANSWER)
        if chosen is None:
            return {SAFETY_BLOCK: request.words.plain("Choose an answer.")}
        about = IncidentNumber(int(number))
        incident, playbook, _ = await store.look(lambda tx: _known(tx, about, playbooks.current()))
        act = act_of(
            request,
            Verb.ANSWER,
            about,
            question=question,
            answer=chosen,
            then=how,
            reason=reason(incident, playbook),
        )
        await accept(replace(act, channel=ChannelId(channel)))
        return None

    def reason(incident: Incident, playbook: Playbook) -> str:
        scenario = playbook.scenario(incident.scenario)
        return scenario.name.in_(channel_locale) if scenario else ""

    async def page(request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        number, words = _carried(action, ("page",))

        def read(tx: Transaction) -> dict[str, Any]:
            incident, current = tx.incident(number), playbooks.current()
            playbook = playbook_of(tx, incident, current)
            beside = circumstances_of(tx, incident, playbook, current, now=clock())
            shown = diagnosis_card(incident, playbook, request.words, beside=beside, page=int(words["page"]))
            return {
                "type": "modal",
                "title": plain(request.words.plain("More of the scenario"), limit=24),
                "close": plain(request.words.plain("Close"), limit=24),
                "blocks": shown.blocks,
            }

        return await store.look(read)

    press(Verb.CHOOSE_OPTION, "option")
    press(Verb.CLOCK_STEP, "step", "done")
    table.presses[ActionId.CHOOSE_SCENARIO] = choose_scenario
    table.presses[ActionId.ANSWER] = answer
    table.presses[ActionId.REVISE] = answer
    table.presses[ActionId.LOOK] = look
    table.presses[ActionId.ASK_ROLLBACK] = roll_back
    table.presses[ActionId.DIAGNOSIS_PAGE] = page
    table.submissions[CallbackId.BEFORE_ROLLBACK] = before_rollback


_BUTTONS = {Verb.CHOOSE_OPTION: ActionId.CHOOSE_OPTION, Verb.CLOCK_STEP: ActionId.CLOCK_STEP}


def _carried(action: Mapping[str, Any], names: tuple[str, ...]) -> tuple[IncidentNumber, dict[str, str]]:
    """Read what a button or a menu carries: the incident's number, and a word for each of `names`."""
    chosen = action.get("selected_option")
    value = str(chosen["value"] if chosen else action["value"])
    number, *words = value.split(":")
    return IncidentNumber(int(number)), dict(zip(names, words, strict=False))


def _known(
    tx: Transaction, number: IncidentNumber, current: Playbook
) -> tuple[Incident, Playbook, Safety | None]:
    incident = tx.incident(number)
    playbook = playbook_of(tx, incident, current)
    return incident, playbook, safety_in(incident, playbook)
