"""How long these tests wait for what always comes. A test that passes never waits so long."""

#: Generous, because the machines are shared: a process may get no time at all for some seconds.
PATIENCE_SECONDS = 60.0

#: How long the bot waits for one answer of Google's, or for all that belong together: somebody is waiting.
#: A few tests are about that; in all others a machine that has no time for them must not count as Google.
GOOGLE_LIMITS = (
    "bot.adapters.cloud_run.READ_SECONDS",
    "bot.adapters.cloud_run.LOOK_SECONDS",
    "bot.adapters.cloud_run.WRITE_SECONDS",
    "bot.adapters.monitoring.PAGE_SECONDS",
    "bot.adapters.monitoring.METRIC_SECONDS",
    # Each module has its own copy of this one.
    "bot.adapters.cloud_logging.PAGE_SECONDS",
    "bot.adapters.log_clients.PAGE_SECONDS",
    "bot.adapters.log_lister.PAGE_SECONDS",
    "bot.adapters.log_stream.PAGE_SECONDS",
    "bot.adapters.cloud_logging.COUNT_SECONDS",
    "bot.adapters.log_lister.LIST_SECONDS",
    "bot.adapters.log_stream.ENDPOINTS_SECONDS",
)
