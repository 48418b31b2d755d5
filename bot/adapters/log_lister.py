"""Lists what the open stream has not covered, within the quota for reading the log."""

import asyncio
import time
from collections.abc import Collection
from contextlib import aclosing
from typing import Any

from bot.adapters.google import faults_named, in_one_line, pages
from bot.adapters.log_buckets import Listing, LogBuckets, Service, begins
from bot.adapters.log_reads import LogReads
from bot.adapters.request_log import (
    PAGE_SECONDS,
    PAGE_SIZE,
    Connect,
    list_request,
    requests_in,
    services_filter,
    within,
)
from bot.domain.faults import CloudFault, FaultKind

#: For one listing, however many pages it has. A watch gives no source more than 8 s, and should still
#: hear what was wrong.
LIST_SECONDS = 6.0


class LogLister:
    """Fills the holes of `buckets` from the log of one project, one listing at a time."""

    def __init__(self, project: str, *, connect: Connect, buckets: LogBuckets, reads: LogReads) -> None:
        self._project = project
        self._connect = connect
        self._buckets = buckets
        self._reads = reads
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
                        may = f"{self._reads.per_minute:g} pages of {PAGE_SIZE} a minute, and people first"
                        return f"quota: more requests than may be listed ({may})"
        except CloudFault as fault:
            if fault.kind is FaultKind.QUOTA:
                self._reads.refused()
            return in_one_line(fault)
        listing.done()
        return None

    async def _list_pages(self, client: Any, request: Any, listing: Listing) -> bool:
        """Take in every page; return False when there are no reads left for it."""
        if not self._reads.spare():
            return False
        found = pages(client.list_log_entries, request, timeout_seconds=PAGE_SECONDS)
        async with aclosing(found):
            async for page in found:
                listing.add(requests_in(page.entries.pb))
                if page.next_page_token and not self._reads.spare():
                    return False
        return True
