"""Every verb with what it does; the one list that the workflow looks in."""

from collections.abc import Mapping

from bot.domain.acts import Verb
from bot.usecases.act import Deed
from bot.usecases.answer_page import ANSWER_PAGE
from bot.usecases.answer_question import ANSWER
from bot.usecases.ask_for_evidence import TAKE_EVIDENCE
from bot.usecases.ask_rollback_here import ASK_ROLLBACK
from bot.usecases.assess_incident import SCENARIO, SEVERITY
from bot.usecases.assign_step import ASSIGN_STEP
from bot.usecases.choose_option import CHOOSE_OPTION
from bot.usecases.close_incident import CLOSE, REOPEN
from bot.usecases.decline_page import DECLINE_PAGE, NO_ANSWER
from bot.usecases.end_follow_up import DROP_FOLLOW_UP, FINISH_FOLLOW_UP, REOPEN_FOLLOW_UP
from bot.usecases.end_post_mortem import CALL_OFF_POST_MORTEM, HOLD_POST_MORTEM
from bot.usecases.export_timeline import EXPORT
from bot.usecases.give_follow_up import ASSIGN_FOLLOW_UP, TAKE_FOLLOW_UP
from bot.usecases.join_incidents import JOIN
from bot.usecases.look_into import LOOK
from bot.usecases.mark_review import REVIEW
from bot.usecases.mark_scenario_step import CLOCK_STEP
from bot.usecases.mark_step import MARK_STEP, UNDO_STEP
from bot.usecases.move_follow_up import MOVE_FOLLOW_UP
from bot.usecases.page_contact import PAGE
from bot.usecases.schedule_post_mortem import MOVE_POST_MORTEM, SCHEDULE_POST_MORTEM
from bot.usecases.take_command import HAND_OVER, TAKE_COMMAND
from bot.usecases.take_role import GIVE_UP_ROLE, TAKE_ROLE
from bot.usecases.tell_people import APPROVE, DROP, TELL
from bot.usecases.write_note import CORRECT, NOTE

DEEDS: Mapping[Verb, Deed] = {
    Verb.TELL: TELL,
    Verb.APPROVE_ANNOUNCEMENT: APPROVE,
    Verb.DROP_ANNOUNCEMENT: DROP,
    Verb.ANSWER: ANSWER,
    Verb.ASK_ROLLBACK: ASK_ROLLBACK,
    Verb.CHOOSE_OPTION: CHOOSE_OPTION,
    Verb.CLOCK_STEP: CLOCK_STEP,
    Verb.LOOK: LOOK,
    Verb.TAKE_COMMAND: TAKE_COMMAND,
    Verb.HAND_OVER: HAND_OVER,
    Verb.TAKE_ROLE: TAKE_ROLE,
    Verb.GIVE_UP_ROLE: GIVE_UP_ROLE,
    Verb.SEVERITY: SEVERITY,
    Verb.SCENARIO: SCENARIO,
    Verb.NOTE: NOTE,
    Verb.CORRECT: CORRECT,
    Verb.EXPORT: EXPORT,
    Verb.JOIN: JOIN,
    Verb.MARK_STEP: MARK_STEP,
    Verb.UNDO_STEP: UNDO_STEP,
    Verb.ASSIGN_STEP: ASSIGN_STEP,
    Verb.CLOSE: CLOSE,
    Verb.PAGE: PAGE,
    Verb.ANSWER_PAGE: ANSWER_PAGE,
    Verb.DECLINE_PAGE: DECLINE_PAGE,
    Verb.NO_ANSWER: NO_ANSWER,
    Verb.TAKE_FOLLOW_UP: TAKE_FOLLOW_UP,
    Verb.ASSIGN_FOLLOW_UP: ASSIGN_FOLLOW_UP,
    Verb.MOVE_FOLLOW_UP: MOVE_FOLLOW_UP,
    Verb.FINISH_FOLLOW_UP: FINISH_FOLLOW_UP,
    Verb.DROP_FOLLOW_UP: DROP_FOLLOW_UP,
    Verb.REOPEN_FOLLOW_UP: REOPEN_FOLLOW_UP,
    Verb.REOPEN: REOPEN,
    Verb.TAKE_EVIDENCE: TAKE_EVIDENCE,
    Verb.REVIEW: REVIEW,
    Verb.SCHEDULE_POST_MORTEM: SCHEDULE_POST_MORTEM,
    Verb.MOVE_POST_MORTEM: MOVE_POST_MORTEM,
    Verb.HOLD_POST_MORTEM: HOLD_POST_MORTEM,
    Verb.CALL_OFF_POST_MORTEM: CALL_OFF_POST_MORTEM,
}
