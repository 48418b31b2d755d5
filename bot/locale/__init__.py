"""The message catalogs: `catalogs` writes them, `bot.slack.text` reads them. English needs none."""
