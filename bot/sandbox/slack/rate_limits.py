"""How often Slack lets an app call each method, and the counting.

Source of the tiers: slackapi/java-slack-sdk, metadata/web-api/rate_limit_tiers.json (2026-08); of the
numbers: docs.slack.dev, "Rate limits". Slack promises at least so many a minute; the sandbox gives no more.
"""

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

TIER_1, TIER_2, TIER_3, TIER_4 = 1, 20, 50, 100
#: "Several hundred per minute" for what the documentation calls special.
SPECIAL = 300

PER_MINUTE: dict[str, int] = {
    "api.test": TIER_4,
    "apps.connections.open": TIER_1,
    "auth.test": SPECIAL,
    "blocks.validate": SPECIAL,
    "bookmarks.add": TIER_2,
    "bots.info": TIER_3,
    "canvases.access.set": TIER_3,
    "canvases.create": TIER_2,
    "canvases.delete": TIER_3,
    "canvases.edit": TIER_3,
    "chat.delete": TIER_3,
    "chat.getPermalink": SPECIAL,
    "chat.postEphemeral": TIER_4,
    "chat.postMessage": SPECIAL,
    "chat.update": TIER_3,
    "conversations.history": TIER_3,
    "conversations.info": TIER_3,
    "conversations.join": TIER_3,
    "conversations.list": TIER_2,
    "conversations.members": TIER_4,
    "conversations.open": TIER_3,
    "conversations.replies": TIER_3,
    "files.completeUploadExternal": TIER_4,
    "files.getUploadURLExternal": TIER_4,
    "files.info": TIER_4,
    "pins.add": TIER_2,
    "reactions.add": TIER_3,
    "reactions.get": TIER_3,
    "reactions.remove": TIER_2,
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
    "users.info": TIER_4,
    "users.list": TIER_2,
    "views.open": TIER_4,
    "views.publish": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
}

_IN_BURSTS = frozenset(method for method, limit in PER_MINUTE.items() if limit == TIER_1)
#: Tier 1 tolerates "a small amount of burst behavior": enough for an app to open all its sockets.
TIER_1_BURST = 10

#: chat.postMessage in one channel: one a second, "short bursts" allowed.
POSTS_PER_SECOND = 1.0
POST_BURST = 5


@dataclass(frozen=True)
class PostPace:
    """How fast one channel takes messages; Slack's own pace unless a test is in a hurry."""

    per_second: float = POSTS_PER_SECOND
    burst: int = POST_BURST


SLACKS_PACE = PostPace()


@dataclass
class _Bucket:
    """A token bucket: full at first, filled again at a steady rate."""

    pace: PostPace
    tokens: float
    filled_at: float = 0.0

    def wait(self, now: float) -> float:
        """Return for how many seconds there will be no token; 0 when there is one."""
        gained = max(0.0, now - self.filled_at) * self.pace.per_second
        self.tokens = min(self.pace.burst, self.tokens + gained)
        self.filled_at = now
        return max(0.0, (1.0 - self.tokens) / self.pace.per_second)


@dataclass
class RateLimits:
    """Counts calls. Times are epoch seconds."""

    pace: PostPace = SLACKS_PACE
    _calls: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def retry_after(self, method: str, channel: str | None, *, now: float) -> int | None:
        """Count one call, or return the whole seconds to wait if it is one too many.

        `channel` matters to chat.postMessage only. A refused call is not counted.
        """
        buckets = list(self._buckets_of(method, channel))
        waits = [bucket.wait(now) for bucket in buckets]
        if method not in _IN_BURSTS:
            waits.append(self._minute_wait(method, now))
        if any(waits):
            return _whole_seconds(waits)
        self._calls[method].append(now)
        for bucket in buckets:
            bucket.tokens -= 1
        return None

    def _buckets_of(self, method: str, channel: str | None) -> Iterator[_Bucket]:
        if method in _IN_BURSTS:
            yield self._bucket(method, PostPace(per_second=TIER_1 / 60, burst=TIER_1_BURST))
        if method == "chat.postMessage" and channel:
            yield self._bucket(channel, self.pace)

    def _bucket(self, name: str, pace: PostPace) -> _Bucket:
        return self._buckets.setdefault(name, _Bucket(pace, tokens=pace.burst))

    def _minute_wait(self, method: str, now: float) -> float:
        calls = self._calls[method]
        while calls and calls[0] <= now - 60:
            calls.popleft()
        return calls[0] + 60 - now if len(calls) >= PER_MINUTE.get(method, TIER_3) else 0.0


def _whole_seconds(waits: Iterable[float]) -> int:
    return max(1, math.ceil(max(waits)))
