"""What Slack asks an app's address while the app is set up, when nobody has done anything."""

import secrets

from bot.sandbox.slack.deliveries import Courier, Delivery
from bot.sandbox.slack.payloads import VERIFICATION_TOKEN


async def verify_url(courier: Courier) -> Delivery:
    """Send a ``url_verification``; the answer must hold the challenge, as text or as JSON."""
    challenge = secrets.token_urlsafe(40)
    asked = {"token": VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification"}
    delivery = await courier.over_http(asked)
    body = delivery.body if isinstance(delivery.body, dict) else {}
    repeated = body.get("challenge") == challenge or delivery.text.strip() == challenge
    if delivery.shown is None and not repeated:
        return delivery.with_shown("Your URL didn't respond with the value of the challenge parameter.")
    return delivery


async def check_certificate(courier: Courier) -> Delivery:
    """Send an ``ssl_check``, which wants nothing but an answer."""
    return await courier.form({"ssl_check": "1", "token": VERIFICATION_TOKEN})
