"""*Can't* and *No answer*: the next in line is called at once."""

from bot.domain.paging import Page, PageState, moved
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.answer_page import how_it_stands
from bot.usecases.send_page import end_page, pass_on, tell


def _decline(doing: Doing) -> Reply | None:
    return _end(doing, PageState.DECLINED, Event.PAGE_DECLINED)


def _no_answer(doing: Doing) -> Reply | None:
    return _end(doing, PageState.UNANSWERED, Event.PAGE_UNANSWERED)


def _end(doing: Doing, wanted: PageState, event: Event) -> Reply | None:
    page = doing.tx.kept(Page, doing.act.words["page"])
    if page.state is not PageState.WAITING:
        return how_it_stands(doing, page)
    why = doing.act.words.get("why", "")
    end_page(doing.tx, moved(page, wanted, at=doing.at, why=why), doing.playbook)
    tell(doing.tx, page, event, doing.playbook, at=doing.at, by=doing.act.person, why=why)
    pass_on(doing.tx, page, doing.playbook, at=doing.at)
    return None


DECLINE_PAGE = Deed(do=_decline)
NO_ANSWER = Deed(do=_no_answer)
