"""The sandbox's Google Cloud and canary service. It speaks Google's own protocol on loopback."""

from bot.sandbox.cloud.behaviour import Behaviour, Fault
from bot.sandbox.cloud.pipeline import STAGES, Refused
from bot.sandbox.cloud.rpc import RpcCall
from bot.sandbox.cloud.sandbox_cloud import SandboxCloud
from bot.sandbox.cloud.troubles import Chat, Trouble
from bot.sandbox.cloud.truth import Truth

__all__ = ["STAGES", "Behaviour", "Chat", "Fault", "Refused", "RpcCall", "SandboxCloud", "Trouble", "Truth"]
