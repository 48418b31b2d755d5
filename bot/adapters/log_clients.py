"""How many clients a side answered: addresses of the request log, counted and forgotten."""

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from bot.adapters.google import pages
from bot.adapters.log_reads import LogReads
from bot.adapters.request_log import MOST_ENTRIES, PAGE_SECONDS, belongs, is_error
from bot.domain.first_reading import Clients
from bot.domain.traffic import SideAddress

if TYPE_CHECKING:
    from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient


async def count_clients(
    client: "LoggingServiceV2AsyncClient",
    request: Any,
    side: SideAddress,
    *,
    reads: LogReads,
    most: int = MOST_ENTRIES,
) -> Clients:
    """Return the distinct clients among the first `most` entries that `request` lists.

    The addresses themselves are personal data: they never leave this function.
    """
    seen: set[str] = set()
    failed: set[str] = set()
    left = most
    call = reads.waiting(client.list_log_entries, reads.wait_for_spare)
    listing = pages(call, request, timeout_seconds=PAGE_SECONDS)
    async with aclosing(listing):
        async for page in listing:
            # The bare protobuf messages: the wrappers cost the event loop much more.
            entries = page.entries.pb
            for entry in entries[:left]:
                address = entry.http_request.remote_ip
                if not address or not belongs(entry.resource.labels, side):
                    continue
                seen.add(address)
                if is_error(entry.http_request.status):
                    failed.add(address)
            if len(entries) > left or (len(entries) == left and page.next_page_token):
                return Clients(seen=len(seen), failed=len(failed), truncated=True)
            left -= len(entries)
    return Clients(seen=len(seen), failed=len(failed))
