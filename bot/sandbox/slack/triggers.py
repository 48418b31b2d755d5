"""`trigger_id`s: what lets an app open a modal. One use, 3 seconds."""

import secrets
from dataclasses import dataclass, field

#: Source: docs.slack.dev, "Handling user interaction", and the guide on modals.
LIFETIME_SECONDS = 3.0


class TriggerRefused(Exception):
    """The trigger cannot be exchanged; the message is Slack's error code."""


@dataclass
class _Trigger:
    user: str
    made_at: float
    used: bool = False


@dataclass
class Triggers:
    """The triggers handed out so far, each good for `lifetime_seconds`. Times are epoch seconds."""

    lifetime_seconds: float = LIFETIME_SECONDS
    _known: dict[str, _Trigger] = field(default_factory=dict)

    def make(self, user: str, *, now: float) -> str:
        """Return a fresh trigger for something `user` has just done."""
        trigger_id = f"{int(now * 1000)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._known[trigger_id] = _Trigger(user, now)
        return trigger_id

    def exchange(self, trigger_id: str, *, now: float) -> str:
        """Use the trigger up and return whose it is.

        Raises:
            TriggerRefused: it is unknown, was used before, or is too old.
        """
        trigger = self._known.get(trigger_id)
        if trigger is None:
            raise TriggerRefused("invalid_trigger_id")
        if trigger.used:
            raise TriggerRefused("exchanged_trigger_id")
        if now - trigger.made_at > self.lifetime_seconds:
            raise TriggerRefused("expired_trigger_id")
        trigger.used = True
        return trigger.user
