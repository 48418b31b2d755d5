"""The sandbox's Slack workspace: the Web API, signed deliveries, and a page to act on."""

from bot.sandbox.slack.deliveries import Delivery
from bot.sandbox.slack.server import SandboxSlack

__all__ = ["Delivery", "SandboxSlack"]
