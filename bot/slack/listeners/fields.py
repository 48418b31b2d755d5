"""What was filled in: the inputs of a submitted or pressed-in modal, by action id."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from bot.slack.listeners.table import Request
from bot.slack.modal_memory import recall
from bot.slack.text import clean


class Fields:
    """Reads the inputs of a view. Texts are cleaned, and empty where nothing was typed."""

    def __init__(self, view: Mapping[str, Any]) -> None:
        blocks = (view.get("state") or {}).get("values", {}).values()
        self._values = {action: field for block in blocks for action, field in block.items()}

    def text(self, action: str, *, limit: int) -> str:
        """Return what was typed."""
        return clean(self._of(action).get("value") or "", limit=limit)

    def written(self, action: str) -> str:
        """Return what was typed as a number, as it was typed, or the chosen option's value."""
        return str(self.chosen(action) or self._of(action).get("value") or "").strip()

    def whole(self, action: str) -> int | None:
        """Return it as a whole number of at most nine digits, None where it is none."""
        written = self.written(action)
        return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None

    def chosen(self, action: str) -> str | None:
        """Return the chosen option's value."""
        option = self._of(action).get("selected_option")
        return option["value"] if option else None

    def all_chosen(self, action: str) -> list[str]:
        """Return the values of all chosen options."""
        return [option["value"] for option in self._of(action).get("selected_options") or ()]

    def person(self, action: str) -> str | None:
        """Return the chosen person's id."""
        return self._of(action).get("selected_user")

    def moment(self, action: str) -> datetime | None:
        """Return the picked moment, aware, UTC."""
        picked = self._of(action).get("selected_date_time")
        return datetime.fromtimestamp(picked, UTC) if picked else None

    def day(self, action: str) -> date | None:
        """Return the picked day."""
        picked = self._of(action).get("selected_date")
        return date.fromisoformat(picked) if picked else None

    def _of(self, action: str) -> Mapping[str, Any]:
        return self._values.get(action) or {}


def from_modal(request: Request) -> tuple[Request, list[str], Fields]:
    """Return the request as if it came from where its modal was opened, the modal's facts and fields."""
    channel, facts = recall(request.body["view"])
    there = replace(request, sender=replace(request.sender, channel=channel))
    return there, facts, Fields(request.body["view"])
