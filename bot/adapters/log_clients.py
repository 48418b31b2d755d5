"""How many clients a side answered: addresses of the request log, counted and forgotten."""

from contextlib import aclosing
from typing import Any

from bot.adapters.google import pages
from bot.adapters.log_reads import Call
from bot.adapters.request_log import MOST_ENTRIES, PAGE_SECONDS, belongs, is_error
from bot.domain.first_reading import Clients
from bot.domain.traffic import SideAddress


async def count_clients(call: Call, request: Any, side: SideAddress) -> Clients:
    """Return the distinct clients among the first `MOST_ENTRIES` that `call` lists for `request`.

    The addresses themselves are personal data: they never leave this function.
    """
    seen: set[str] = set()
    failed: set[str] = set()
    left = MOST_ENTRIES
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
