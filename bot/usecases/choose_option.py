"""Somebody chooses an option that no machine carries out, such as "debug, then hotfix": written down."""

from bot.domain.guide import Does
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.ports import Said
from bot.usecases.show_incident import show_incident


def _choose(doing: Doing) -> Reply | None:
    scenario = doing.playbook.scenario(doing.incident.scenario)
    options = scenario.options if scenario else ()
    key = doing.act.words["option"]
    place = next((n for n, option in enumerate(options) if option.key == key), None)
    if place is None or options[place].does is not Does.BY_HAND:
        show_incident(doing.tx, doing.incident.number, channel=doing.channel)
        return Reply(what=Said.OLDER_STATE)
    option = options[place]
    facts = {"place": place, "titles": option.title.model_dump(), "risk": option.risk.value}
    doing.write(Event.OPTION_CHOSEN, **facts, option=key)
    better = next((other.title.model_dump() for other in options if other.recommended), None)
    return Reply(what=Said.BY_HAND, facts=facts | {"better": better})


CHOOSE_OPTION = Deed(do=_choose)
