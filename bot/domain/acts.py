"""What a person does in an incident by a button, a modal or a command: one small verb at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.ids import ChannelId, IncidentNumber, PersonId


class Verb(StrEnum):
    """Every verb, by the name it is stored under."""

    TAKE_COMMAND = "take_command"
    HAND_OVER = "hand_over"
    TAKE_ROLE = "take_role"
    GIVE_UP_ROLE = "give_up_role"
    SEVERITY = "severity"
    SCENARIO = "scenario"
    NOTE = "note"
    CORRECT = "correct"
    EXPORT = "export"
    JOIN = "join"
    ANSWER = "answer"
    ASK_ROLLBACK = "ask_rollback"
    CHOOSE_OPTION = "choose_option"
    CLOCK_STEP = "clock_step"
    LOOK = "look"
    MARK_STEP = "mark_step"
    UNDO_STEP = "undo_step"
    ASSIGN_STEP = "assign_step"
    CLOSE = "close"
    PAGE = "page"
    ANSWER_PAGE = "answer_page"
    DECLINE_PAGE = "decline_page"
    NO_ANSWER = "no_answer"
    TAKE_FOLLOW_UP = "take_follow_up"
    ASSIGN_FOLLOW_UP = "assign_follow_up"
    MOVE_FOLLOW_UP = "move_follow_up"
    FINISH_FOLLOW_UP = "finish_follow_up"
    DROP_FOLLOW_UP = "drop_follow_up"
    REOPEN_FOLLOW_UP = "reopen_follow_up"
    TELL = "tell"
    APPROVE_ANNOUNCEMENT = "approve_announcement"
    DROP_ANNOUNCEMENT = "drop_announcement"
    REOPEN = "reopen"
    TAKE_EVIDENCE = "take_evidence"
    REVIEW = "review"
    SCHEDULE_POST_MORTEM = "schedule_post_mortem"
    MOVE_POST_MORTEM = "move_post_mortem"
    HOLD_POST_MORTEM = "hold_post_mortem"
    CALL_OFF_POST_MORTEM = "call_off_post_mortem"


@dataclass(frozen=True, kw_only=True)
class Act:
    """One act of one person.

    `key` is the request's own, so that a redelivery is the same act. `channel` is where the person
    stands: lines only they see go there. `words` are the act's own arguments, texts raw.
    """

    verb: Verb
    incident: IncidentNumber
    person: PersonId
    acting_team: str | None
    channel: ChannelId
    key: str
    words: Mapping[str, str] = field(default_factory=dict)
