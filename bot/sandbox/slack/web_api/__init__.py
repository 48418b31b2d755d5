"""The Web API: one file for each family of methods. Importing this package fills `METHODS`."""

from bot.sandbox.slack.web_api import canvases, chat, conversations, directory, files, marks, views
from bot.sandbox.slack.web_api.registry import METHODS

__all__ = ["METHODS", "canvases", "chat", "conversations", "directory", "files", "marks", "views"]
