"""The stories of the five drills: who notices what, and when. Their texts are in ``stories/``."""

from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator
from ruamel.yaml import YAML

from bot.domain.drill import Milestone
from bot.domain.guide import Key, Part, Text
from bot.sandbox.cloud import Fault
from bot.sandbox.names import PEOPLE

STORIES = Path(__file__).with_name("stories")
#: Where something is said that names no channel.
USUAL_PLACE = "operations"

Seconds = Annotated[float, Field(ge=0, le=3600)]


class Line(Part):
    """One thing that somebody says.

    `at` is in seconds: after the failure began, or after the milestone `after` was reached. It is left
    out once `until` was reached: nobody complains of what is over. `who` is a person of the sandbox by
    name, `where` a channel by name; Slack's own marks may stand in `say`.
    """

    at: Seconds = 0
    after: Milestone | None = None
    until: Milestone | None = None
    who: str
    where: str = USUAL_PLACE
    say: Text


class Story(Part):
    """The story of one scenario of the playbook.

    `before` is told while the canary is still well, `lines` from the failure on.
    """

    scenario: Key
    fault: Fault
    before: tuple[Line, ...]
    lines: tuple[Line, ...]

    @model_validator(mode="after")
    def _known_people(self) -> Self:
        strangers = {line.who for line in (*self.before, *self.lines)} - {one.name for one in PEOPLE}
        if strangers:
            raise ValueError(f"nobody in the sandbox is called {', '.join(sorted(strangers))}")
        return self


@cache
def stories() -> dict[str, Story]:
    """Return every story by the key of its scenario."""
    yaml = YAML(typ="safe", pure=True)
    told = [Story.model_validate(yaml.load(file)) for file in sorted(STORIES.glob("*.yaml"))]
    return {story.scenario: story for story in told}
