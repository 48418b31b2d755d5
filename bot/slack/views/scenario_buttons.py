"""The button of one action, option or step of a scenario: pressing it does the real thing."""

from dataclasses import dataclass

from bot.domain.diagnosis import Safety
from bot.domain.finding import READS
from bot.domain.guide import Does
from bot.domain.ids import IncidentNumber
from bot.domain.page_links import address
from bot.domain.playbook import Playbook, Target
from bot.slack.ids import ActionId
from bot.slack.text import Words
from bot.slack.views.parts import Block, button, confirm, link_button
from bot.slack.views.safety import all_the_same


@dataclass(frozen=True, kw_only=True)
class Press:
    """What a button stands for. `where` is its place, such as ``action:metrics``; `title` is its own."""

    does: Does
    where: str
    title: str
    notice: str | None = None
    link: str | None = None


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What every button of an incident's card needs to know. `canary` is its revision, where known."""

    number: IncidentNumber
    playbook: Playbook
    words: Words
    target: Target | None
    canary: str | None
    safety: Safety | None

    def button(self, press: Press) -> Block | None:
        """Return the button, None where there is nothing to press (a page that no longer exists)."""
        if press.does in READS:
            return self._look(press)
        if press.does in (Does.ROLL_BACK, Does.ROLL_BACK_FORCE):
            return self._roll_back(press)
        if press.does is Does.LINK:
            return self._link(press)
        return self._plain(press)

    def _look(self, press: Press) -> Block:
        words = self.words
        label = {
            Does.STATUS: words.plain("Show the status"),
            Does.METRICS: words.plain("Show the metrics"),
            Does.LOGS: words.plain("Read the log"),
            Does.DESCRIBE: words.plain("Describe the service"),
            Does.PROBE: words.plain("Probe both sides"),
            Does.HEALTH: words.plain("Ask for its health"),
        }[press.does]
        return button(label, action=f"{ActionId.LOOK}#{press.where}", value=f"{self.number}:{press.where}")

    def _roll_back(self, press: Press) -> Block:
        words, forced = self.words, press.does is Does.ROLL_BACK_FORCE
        action, how = f"{ActionId.ASK_ROLLBACK}#{press.where}", "force" if forced else "ask"
        if self.safety is not None and self.safety.holds_back:
            return all_the_same(self.safety, words, action=action, value=f"{self.number}:{how}:all_the_same")
        value = f"{self.number}:{how}:"
        if not forced:
            return button(words.plain("Roll back …"), action=action, value=value, style="danger")
        label = words.plain("Roll back now (Force)")
        if self.safety is not None and self.safety.open:
            # The question is a dialog of its own.
            return button(label, action=action, value=value, style="danger")
        sure = confirm(
            title=words.plain("Roll back at once?"),
            text=words.say("All traffic leaves the canary at once, without another question."),
            yes=words.plain("Roll back"),
            no=words.plain("Not yet"),
            danger=True,
        )
        return button(label, action=action, value=value, style="danger", confirm=sure)

    def _link(self, press: Press) -> Block | None:
        link = self.playbook.links.get(press.link or "")
        if link is None or self.target is None:
            return None
        url = address(link, self.target, canary=self.canary)
        label = link.title.in_(self.words.locale)
        return link_button(label, action=f"{ActionId.OPEN_LINK}#{press.where}", url=url)

    def _plain(self, press: Press) -> Block | None:
        words, number = self.words, str(self.number)
        if press.does is Does.REDUCE_TRAFFIC:
            return button(words.plain("Reduce traffic …"), action=ActionId.REDUCE_TRAFFIC, value=number)
        if press.does is Does.ADD_RESOURCES:
            return button(words.plain("Add resources …"), action=ActionId.ADD_RESOURCES, value=number)
        if press.does is Does.TELL and press.notice is not None:
            value = f"{number}:{press.notice}"
            return button(words.plain("Write the notice …"), action=ActionId.TELL, value=value)
        kind, _, key = press.where.partition(":")
        if kind == "option":
            label, action = words.plain("Choose this"), f"{ActionId.CHOOSE_OPTION}#{press.where}"
            return button(label, action=action, value=f"{number}:{key}")
        return None
