"""What a bot reads before and while it works: code and the playbook, read once by the process that is copied.

Nothing here may start a thread: a copy would not have it.
"""

from importlib import import_module
from pathlib import Path

#: `bot.cli` is missing, because it is what runs.
_MODULES = (
    "bot.logs",
    "bot.server",
    "bot.terminal_history",
    "bot.terminal_looks",
    "bot.terminal_record",
    # What the bot imports later, to answer sooner.
    "alembic.autogenerate",
    "alembic.command",
    "anyio",
    "google.api_core.grpc_helpers_async",
    "google.cloud.logging_v2.services.logging_service_v2",
    "google.cloud.monitoring_v3",
    "google.cloud.run_v2",
    "grpc.aio",
    "httpx",
    "jinja2",
    "typer.main",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.h11_impl",
)

for _name in _MODULES:
    import_module(_name)

# The part of it that comes with the bot is kept.
import_module("bot.adapters.playbook_file").read_playbook(Path(__file__).with_name("playbook.yaml"))
