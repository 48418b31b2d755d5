"""Puts Slack and cloud side by side: on one page, and each within reach of the other's panel."""

from dataclasses import dataclass

from bot.sandbox.cloud import SandboxCloud, Trouble
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.faults import Fault

#: Where users are heard, who passes it on, and what they say in scenario 4 of the guide, by language.
REPORT_CHANNEL = "C0GENERAL"
REPORTER = "U0MANAGER"
REPORTS = {
    "en": "A user writes to us: “My conversation history is gone. All that I wrote has disappeared.”",
    "ko": "사용자 문의가 들어왔어요. “대화 기록이 사라졌어요. 지금까지 쓴 내용이 하나도 안 보입니다.”",
}
#: Short enough to sit out at the page, long enough to be seen.
RETRY_AFTER_SECONDS = 5
SUFFERINGS = {
    Trouble.SLACK_LIMITED: Fault(retry_after=RETRY_AFTER_SECONDS),
    Trouble.SLACK_FAILING: Fault(status=500, error="internal_error"),
    Trouble.SLACK_SILENT: Fault(drop_connection=True),
}


@dataclass(frozen=True)
class _Chat:
    """The cloud's view of the workspace."""

    slack: SandboxSlack

    async def report_lost_conversations(self, *, locale: str) -> None:
        await self.slack.say(REPORTER, REPORT_CHANNEL, REPORTS["ko" if locale.startswith("ko") else "en"])

    def suffer(self, trouble: Trouble | None) -> None:
        self.slack.suffer(SUFFERINGS[trouble] if trouble else None)


def put_together(slack: SandboxSlack, cloud: SandboxCloud) -> None:
    """Serve the cloud's panel on Slack's page, and let it reach Slack. Call it before Slack is started."""
    slack.extra_routes += cloud.routes()
    cloud.chat = _Chat(slack)
