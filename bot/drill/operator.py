"""The operator: plays the team of a headless drill, by the guide and with the buttons that people press.

It reads what people see, never the database; who does what is the guide's table of contacts.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.domain.announcement import placeholders
from bot.drill.screen import Json, Screen, Stuck, controls, said
from bot.sandbox.names import PEOPLE
from bot.slack.ids import ActionId, CallbackId
from bot.slack.text import Words

#: The emergency channel and the lead's, as in the sandbox.
CRITICAL, OPERATIONS = "C0CRITICAL", "C0OPERATIONS"
_IDS = {person.name: person.id for person in PEOPLE}
SENA, GITCO, LUBIT, LEMUN = (_IDS[name] for name in ("sena", "gitco", "lubit", "lemun"))

#: What only people know of each failure, for the record.
_CAUSES = {
    "error_rate": "A bug in the new code: a session without a turn was not expected.",
    "response_time": "The recommendation engine asks the database once for each candidate.",
    "memory": "Sessions of multi-turn conversations are never let go.",
    "data_loss": "The clean-up of old sessions deleted those that were still in use.",
    "service_down": "The deployment script started the container without its configuration.",
}
#: For whatever a notice leaves open.
_ANSWER = "We write here again within the hour."
_IMPROVEMENT = "A test for this case, before the next deployment."


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Acts for the team in one drill. `locale` is the channels' language; `tell` hears what it does."""

    screen: Screen
    scenario: str
    target: str
    locale: str
    tell: Callable[[str], None]

    @property
    def words(self) -> Words:
        """The channels' language."""
        return Words(locale=self.locale)

    async def play(self) -> None:
        """Declare, roll back, see it verified, do what the scenario asks, complete the record, close.

        Raises:
            Stuck: something that should have come did not.
        """
        await self._declare()
        await _BY_SCENARIO[self.scenario](self)
        await self._see_verified()
        if self.scenario == "data_loss":
            await self._recover_and_tell()
        else:
            await self._check_status()
        await self._complete_record()
        await self._close()

    # What every scenario begins with ----------------------------------------------------------------

    async def _declare(self) -> None:
        report = await self.screen.seen(self._report, "a report of what is wrong")
        self.tell(self.words.plain("Lemun declares an incident."))
        await self.screen.slack.slash(LEMUN, OPERATIONS, "/incident new")
        form = await self.screen.modal(LEMUN, CallbackId.DECLARE)
        known: dict[str, str] = {ActionId.NEW_SEEN: said(report), ActionId.NEW_SCENARIO: self.scenario}
        if any(ActionId.NEW_TARGET in block["element"]["action_id"] for block in _inputs(form)):
            known[ActionId.NEW_TARGET] = self.target
        await self.screen.submit(LEMUN, CallbackId.DECLARE, known)

    def _report(self) -> Json | None:
        """Return what Lemun or the manager has reported, the story's own first word of trouble."""
        reporters = {LEMUN, _IDS["manager"]}
        posts = self.screen.messages(LEMUN, OPERATIONS)
        return next((one for one in posts if one.get("user") in reporters), None)

    # The scenarios ----------------------------------------------------------------------------------

    async def _by_question(self, button: str) -> None:
        """Sena rolls back from the card; the bot's own question is answered with its button."""
        self.tell(self.words.plain("Sena asks for the rollback."))
        await self.screen.press(SENA, CRITICAL, button)
        question = await self.screen.message(SENA, CRITICAL, ActionId.ROLL_BACK)
        for _ in range(2):
            # Where it looks healthy, or was asked before all had been read, it asks once more.
            before = said(question)
            await self.screen.press(SENA, CRITICAL, ActionId.ROLL_BACK)
            question = await self.screen.seen(lambda before=before: self._changed(before), "an answer")  # type: ignore[misc]
            if ActionId.ROLL_BACK not in controls(question):
                return

    def _changed(self, before: str) -> Json | None:
        newest = self.screen.newest(SENA, CRITICAL, ActionId.ROLL_BACK)
        if newest is None:
            return {}
        return newest if said(newest) != before else None

    async def _roll_back_by_hand(self) -> None:
        await self._by_question(f"{ActionId.ASK_ROLLBACK}#action:roll_back")

    async def _take_option_a(self) -> None:
        self.tell(self.words.plain("Lemun looks at the metrics and for slow requests."))
        await self.screen.press(LEMUN, CRITICAL, f"{ActionId.LOOK}#action:metrics")
        await self.screen.press(LEMUN, CRITICAL, f"{ActionId.LOOK}#action:slow_requests")
        self.tell(self.words.plain("Sena takes option A."))
        await self._by_question(f"{ActionId.ASK_ROLLBACK}#option:roll_back")

    async def _roll_back_with_force(self) -> None:
        self.tell(self.words.plain("Lubit rolls back with force."))
        await self.screen.press(LUBIT, CRITICAL, f"{ActionId.ASK_ROLLBACK}#action:emergency_rollback")

    async def _roll_back_lost_data(self) -> None:
        self.tell(self.words.plain("Sena rolls back at once; no migration stands in the way."))
        await self.screen.press(SENA, CRITICAL, f"{ActionId.ASK_ROLLBACK}#clock:roll_back")
        await self.screen.submit(SENA, CallbackId.BEFORE_ROLLBACK, {ActionId.SAFETY_ANSWER: "no"})

    async def _roll_back_what_is_down(self) -> None:
        self.tell(self.words.plain("Lemun describes the service and reads its logs."))
        await self.screen.press(LEMUN, CRITICAL, f"{ActionId.LOOK}#action:describe")
        await self.screen.press(LEMUN, CRITICAL, f"{ActionId.LOOK}#action:logs")
        self.tell(self.words.plain("Sena rolls back with force."))
        await self.screen.press(SENA, CRITICAL, f"{ActionId.ASK_ROLLBACK}#action:roll_back")

    # After the rollback -----------------------------------------------------------------------------

    async def _see_verified(self) -> None:
        words = self.words
        good = words.plain("{target} is rolled back and verified", target=self.target)
        bad = (
            words.plain("Rollback of {target} applied, but NOT verified", target=self.target),
            words.plain("The rollback of {target} FAILED", target=self.target),
            words.plain("{target}: nothing was left to roll back", target=self.target),
        )

        def verdict() -> str | None:
            for message in self.screen.messages(SENA, CRITICAL):
                found = next((one for one in (good, *bad) if one in said(message)), None)
                if found:
                    return found
            return None

        found = await self.screen.seen(verdict, "how the rollback ended")
        self.tell(self.words.plain("The bot says: {what}.", what=found))
        if found != good:
            raise Stuck(found)

    async def _check_status(self) -> None:
        await self.screen.slack.slash(LEMUN, OPERATIONS, f"/canary status {self.target}")

    async def _recover_and_tell(self) -> None:
        self.tell(self.words.plain("Gitco restores the data from the latest backup."))
        for step in ("restore.restore_backup", "restore.review_transactions"):
            await self._step(GITCO, step)
        await self._tell_users()
        for step in ("tell_users.announce", "tell_users.say_when", "tell_users.plan_compensation"):
            await self._step(SENA, step)
        self.tell(self.words.plain("Gitco verifies the data's integrity and checks each affected user."))
        for step in ("confirm.verify_integrity", "confirm.check_users"):
            await self._step(GITCO, step)

    async def _step(self, user: str, step: str) -> None:
        """Mark a step of the scenario's clock as done, unless it is."""
        action = f"{ActionId.CLOCK_STEP}#clock.{step}"
        card = await self.screen.message(user, CRITICAL, action)
        # The button of a step that is done takes that back.
        if controls(card)[action]["value"].endswith(":yes"):
            await self.screen.press(user, CRITICAL, action)

    async def _tell_users(self) -> None:
        self.tell(self.words.plain("Sena writes the notice to users; Lubit agrees to it."))
        announcing = f"{ActionId.CLOCK_STEP}#clock.tell_users.announce"
        await self.screen.press(SENA, CRITICAL, ActionId.TELL, beside=announcing)
        form = await self.screen.modal(SENA, CallbackId.TELL)
        texts = {
            block["element"]["action_id"]: _filled_in(block["element"].get("initial_value", ""))
            for block in _inputs(form)
        }
        await self.screen.submit(SENA, CallbackId.TELL, texts)
        await self.screen.press(LUBIT, CRITICAL, ActionId.TELL_APPROVE)

    async def _complete_record(self) -> None:
        self.tell(self.words.plain("Gitco completes the record."))
        await self.screen.press(GITCO, CRITICAL, ActionId.COMPLETE_RECORD)
        known: dict[str, str] = {
            ActionId.RECORD_CAUSE: _CAUSES[self.scenario],
            ActionId.RECORD_USERS: "3",
            ActionId.RECORD_DATA_LOSS: "yes" if self.scenario == "data_loss" else "no",
            ActionId.RECORD_DOWN: "0",
            ActionId.RECORD_IMPROVEMENTS: _IMPROVEMENT,
        }
        await self.screen.submit(GITCO, CallbackId.COMPLETE_RECORD, known)
        await self.screen.message(GITCO, CRITICAL, _CAUSES[self.scenario])

    async def _close(self) -> None:
        self.tell(self.words.plain("Sena closes the incident."))
        await self.screen.press(SENA, CRITICAL, ActionId.CLOSE_INCIDENT)
        await self.screen.submit(SENA, CallbackId.CLOSE, {})
        await self.screen.message(SENA, CRITICAL, ActionId.REOPEN_INCIDENT)


#: What each scenario asks for, up to the rollback.
_BY_SCENARIO: dict[str, Callable[[Operator], Awaitable[None]]] = {
    "error_rate": Operator._roll_back_by_hand,
    "response_time": Operator._take_option_a,
    "memory": Operator._roll_back_with_force,
    "data_loss": Operator._roll_back_lost_data,
    "service_down": Operator._roll_back_what_is_down,
}


def _inputs(view: Json) -> list[Json]:
    return [block for block in view["blocks"] if block["type"] == "input"]


def _filled_in(text: str) -> str:
    """Return a notice with an answer in the place of each thing that it left open."""
    for left in placeholders(text):
        text = text.replace(left, _ANSWER)
    return text
