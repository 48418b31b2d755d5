"""What people do with incidents in journeys, and where they see it."""

from typing import Any

from tests.journeys.world import World, action_ids, texts, until


async def opened(world: World, user: str, *, title: str = "", callback: str = "") -> dict[str, Any]:
    """Wait until a modal with this in its title, or its callback id, is on top and return it."""

    def look() -> dict[str, Any] | None:
        views = world.slack.views(user)
        fits = views and title in views[-1]["title"]["text"] and callback in views[-1]["callback_id"]
        return views[-1] if fits else None

    return await until(look, what=f"a modal {title or callback!r} of {user}")


async def close(world: World, user: str, board: dict[str, Any]) -> None:
    """Press *Close the incident* on a board and say that it is meant."""
    await world.slack.click(user, "C0CRITICAL", board["ts"], "incident.close")
    view = await opened(world, user, callback="incident.close")
    await world.slack.submit(user, view["id"], {})


async def declare(world: World, user: str, seen: str = "Users cannot pay", **chosen: str) -> None:
    """Declare an incident by command; `chosen` are ``target``, ``scenario`` or ``severity``."""
    await world.slack.slash(user, "C0OPERATIONS", "/incident new")
    view = await opened(world, user, title="Declare")
    values = {"declare.seen": seen} | {f"declare.{name}": value for name, value in chosen.items()}
    answer = await world.slack.submit(user, view["id"], values)
    assert not answer.body, answer.body


async def board_of(world: World, number: int, *, having: str = "") -> dict[str, Any]:
    """Wait for the board of an incident that says, or has a control, `having`."""

    def look() -> dict[str, Any] | None:
        for message in world.slack.messages("C0CRITICAL"):
            key = ((message.get("metadata") or {}).get("event_payload") or {}).get("key")
            if key == f"board:{number}" and (having in texts(message) or having in action_ids(message)):
                return dict(message)
        return None

    return await until(look, what=f"{having!r} on the board of INC-{number}")


def log_of(world: World, board: dict[str, Any]) -> str:
    """Return everything in a board's thread, each line once."""
    lines = world.slack.messages("C0CRITICAL", thread_ts=board["ts"])
    return "\n".join(texts(one | {"text": ""}) for one in lines)


async def logged(world: World, board: dict[str, Any], *, having: str) -> str:
    """Wait until the log under a board says `having`, and return all of it."""

    def look() -> str | None:
        log = log_of(world, board)
        return log if having in log else None

    return await until(look, what=f"{having!r} in the log")


async def told(world: World, user: str, having: str, channel: str = "C0OPERATIONS") -> str:
    """Wait for a line only this person sees, in the channel or directly, and return it."""

    def look() -> str | None:
        direct = f"D{user[1:]}"
        for place in (channel, "C0CRITICAL", direct):
            for message in world.slack.messages(place, user=user)[::-1]:
                alone = place == direct or message["ephemeral_for"] == user
                if alone and having in texts(message):
                    return texts(message)
        return None

    return await until(look, what=f"{user} told {having!r}")


async def choose(world: World, user: str, board: dict[str, Any], what: str) -> None:
    """Choose from the board's menu."""
    number = next(
        element["options"][0]["value"].partition(":")[2]
        for block in board["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
        if element["action_id"] == "incident.more"
    )
    await world.slack.click(user, "C0CRITICAL", board["ts"], "incident.more", selected=f"{what}:{number}")
