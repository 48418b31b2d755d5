"""Ids that Slack echoes back; views and listeners share them, so a button and its listener cannot drift."""

from enum import StrEnum


class ActionId(StrEnum):
    """What a person can press."""

    ROLL_BACK = "rollback.go"
    CANCEL = "rollback.cancel"
    CHOOSE_STABLE = "rollback.choose_stable"
    COMPLETE_RECORD = "record.complete"
    CLOSE_INCIDENT = "incident.close"
    RECORD_TYPE = "record.type"
    RECORD_SEVERITY = "record.severity"
    RECORD_CAUSE = "record.cause"
    RECORD_USERS = "record.users"
    RECORD_DATA_LOSS = "record.data_loss"
    RECORD_DOWN = "record.down"
    RECORD_ACTIONS = "record.actions"
    RECORD_IMPROVEMENTS = "record.improvements"


class CallbackId(StrEnum):
    """Which modal was submitted."""

    COMPLETE_RECORD = "record.complete"


#: Event type in our messages' metadata; its payload's ``key`` finds a message again after a crash.
METADATA_EVENT = "backout_message"
