"""Lists what the open stream has not covered, within the quota for reading the log."""

import asyncio
import time
from collections.abc import Collection
from contextlib import aclosing
from typing import Any

from bot.adapters.google import faults_named, in_one_line, pages
from bot.adapters.log_buckets import Listing, LogBuckets, Service, begins
from bot.adapters.request_log import (
    PAGE_SECONDS,
    PAGE_SIZE,
    Connect,
    list_request,
    requests_in,
    services_filter,
    within,
)
from bot.domain.faults import CloudFault

#: For one listing, however many pages it has. A watch gives no source more than 8 s, and should still
#: hear what was wrong.
LIST_SECONDS = 6.0
#: Pages listed at once and per minute. Google's read quota is about 60 a minute for a whole project,
#: and people read the log too. Source: reference/cloud-run-and-canary.md, C.4.
MOST_PAGES, PAGES_PER_MINUTE = 30, 30
TOO_MANY = f"quota: more requests than may be listed ({PAGES_PER_MINUTE} pages of {PAGE_SIZE} a minute)"


class PageBudget:
    """So many pages may still be listed now."""

    def __init__(self) -> None:
        self._left = float(MOST_PAGES)
        self._at = time.monotonic()

    def take(self) -> bool:
        """Take one page; False when there is none left."""
        now = time.monotonic()
        self._left = min(self._left + (now - self._at) * PAGES_PER_MINUTE / 60, float(MOST_PAGES))
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class LogLister:
    """Fills the holes of `buckets` from the log of one project, one listing at a time."""

    def __init__(self, project: str, *, connect: Connect, buckets: LogBuckets) -> None:
        self._project = project
        self._connect = connect
        self._buckets = buckets
        self._budget = PageBudget()
        self._one_at_a_time = asyncio.Lock()
        self._failed_at, self._problem = 0.0, ""

    async def fill(
        self,
        services: Collection[Service],
        first: int,
        last: int,
        *,
        others: Collection[Service],
        at: float,
    ) -> str | None:
        """List the buckets `first` to `last` (excluded) of `services` as far as they are not whole.

        Return why some still are not, None when all are. What was complete before it failed is kept,
        so that trying again goes on from there.

        Args:
            others: services that are listed along where they have holes there too, in the same call.
            at: now, seconds since the epoch.
        """
        asked_at = time.monotonic()
        async with self._one_at_a_time:
            holes = self._buckets.holes(services, first, last)
            if not holes:
                return None
            if self._failed_at >= asked_at:
                # While we waited in line somebody found out that it cannot be done now.
                return self._problem
            problem = await self._list({*services, *others}, holes[0], holes[-1] + 1, at)
            if problem:
                self._failed_at, self._problem = time.monotonic(), problem
            return problem

    async def _list(self, services: Collection[Service], first: int, last: int, at: float) -> str | None:
        written = services_filter(self._project, services)
        window = within(begins(first), begins(last))
        listing = self._buckets.listing(services, first, last, at=at)
        try:
            with faults_named("read the request log"):
                client = await self._connect()
                request = list_request(
                    self._project, f"{written} AND {window}", page_size=PAGE_SIZE, newest_first=False
                )
                async with asyncio.timeout(LIST_SECONDS):
                    if not await self._list_pages(client, request, listing):
                        return TOO_MANY
        except CloudFault as fault:
            return in_one_line(fault)
        listing.done()
        return None

    async def _list_pages(self, client: Any, request: Any, listing: Listing) -> bool:
        """Take in every page; return False when the budget does not allow it."""
        if not self._budget.take():
            return False
        found = pages(client.list_log_entries, request, timeout_seconds=PAGE_SECONDS)
        async with aclosing(found):
            async for page in found:
                listing.add(requests_in(page.entries.pb))
                if page.next_page_token and not self._budget.take():
                    return False
        return True
