"""The guide as values: scenarios, checklist, contacts, rules, notices, readiness, all of them a team's data.

Every text exists in both languages. Minutes are counted from the moment their docstring names; a
fraction is allowed. Source of all of it: the deployment-failure guide.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bot.domain.incident import FailureType, Severity

Key = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$"),
    Field(
        description="A name for this in small letters, digits and _; incidents remember it.",
        examples=["my_step"],
    ),
]
SlackUser = Annotated[
    str,
    StringConstraints(pattern=r"^[UW][A-Z0-9]{2,20}$"),
    Field(description="A Slack member ID (profile, Copy member ID).", examples=["U024BE7LH"]),
]
SlackGroup = Annotated[
    str,
    StringConstraints(pattern=r"^S[A-Z0-9]{2,20}$"),
    Field(description="The ID of a Slack user group (Copy group ID).", examples=["S0614TZR7"]),
]
ChannelName = Annotated[
    str,
    StringConstraints(pattern=r"^(#[a-z0-9][a-z0-9_-]{0,79}|[CG][A-Z0-9]{2,20})$"),
    Field(
        description="A Slack channel, by name or ID; in quotes, because # begins a comment.",
        examples=["#critical-incidents"],
    ),
]
Phone = Annotated[
    str,
    StringConstraints(pattern=r"^\+?[0-9][0-9 ()./-]{3,30}$"),
    Field(description="A telephone number, in quotes.", examples=["+82 2 1234 5678"]),
]
Line = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=75, strip_whitespace=True)]
WebAddress = Annotated[
    str,
    StringConstraints(pattern=r"^https://[^\s<>|]+$", max_length=2000),
    Field(
        description="An address that begins with https://.", examples=["https://grafana.example.com/d/canary"]
    ),
]
ClockTime = Annotated[
    str,
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    Field(description="A time of day, in quotes.", examples=["14:05"]),
]
TemplateName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,60}\.md$"),
    Field(description="A file of templates/en and templates/ko.", examples=["incident_opened.md"]),
]
EvidenceFile = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9_]+_<yyyyMMdd_HHmmss>\.(txt|json)$"),
    Field(
        description="The name it is kept under; the moment is filled in.",
        examples=["error_logs_<yyyyMMdd_HHmmss>.txt"],
    ),
]


class Part(BaseModel):
    """One part of the playbook: a key nobody knows is an error, and nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Text(Part):
    """A sentence in both languages."""

    en: Line = Field(description="In English.")
    ko: Line = Field(description="In Korean.")

    def in_(self, locale: str) -> str:
        """Return it in `locale` (``en`` or ``ko``)."""
        return self.ko if locale == "ko" else self.en


class Short(Part):
    """A few words in both languages, short enough for a button (75 characters)."""

    en: Word = Field(description="In English, at most 75 characters.")
    ko: Word = Field(description="In Korean, at most 75 characters.")

    def in_(self, locale: str) -> str:
        """Return it in `locale` (``en`` or ``ko``)."""
        return self.ko if locale == "ko" else self.en


class Does(StrEnum):
    """What a step of the playbook does when its button is pressed."""

    ROLL_BACK = "roll_back"
    ROLL_BACK_FORCE = "roll_back_force"
    STATUS = "status"
    METRICS = "metrics"
    LOGS = "logs"
    DESCRIBE = "describe"
    PROBE = "probe"
    HEALTH = "health"
    REDUCE_TRAFFIC = "reduce_traffic"
    ADD_RESOURCES = "add_resources"
    TELL = "tell"
    LINK = "link"
    BY_HAND = "by_hand"


class Action(Part):
    """One immediate action.

    ``filter`` (Cloud Logging's language; ``{canary}`` stands for the canary's own service or
    revision) and ``limit`` belong to ``logs``, ``requests`` and ``pause_ms`` to ``probe``,
    ``notice`` to ``tell``, ``link`` to ``link``.
    """

    key: Key
    number: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,2}(-[0-9]{1,2})?$")] | None = Field(
        None, description="Shown before it where it is not simply the next one.", examples=["3-1"]
    )
    stage: Short | None = Field(None, description="A heading before it: a new stage begins here.")
    title: Short
    note: Text | None = None
    details: tuple[Text, ...] = ()
    does: Does = Does.BY_HAND
    automatic: bool = Field(False, description="Done by the bot itself; the button is for a second time.")
    within_seconds: int | None = Field(
        None, ge=1, le=3600, description="How fast it should be done, seconds."
    )
    filter: Line | None = Field(None, description="For logs: Cloud Logging's filter; {canary} is filled in.")
    limit: int = Field(50, ge=1, le=1000, description="For logs: how many lines.")
    requests: int = Field(20, ge=1, le=100, description="For probe: requests to each side.")
    pause_ms: int = Field(
        100, ge=0, le=10_000, description="For probe: pause between two requests, milliseconds."
    )
    notice: Key | None = None
    link: Key | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {Does.LOGS: "filter", Does.TELL: "notice", Does.LINK: "link"}.get(self.does)
        if needed and getattr(self, needed) is None:
            raise ValueError(f"does: {self.does.value} needs '{needed}'")
        return self


class Answer(Part):
    """One answer to a question: what it means, which question comes next, which options it speaks for."""

    key: Key
    say: Short
    means: Text
    when: bool | None = Field(
        None,
        description="The bot's own answer where what it `finds` is so (true) or not (false).",
    )
    next: Key | None = None
    suggests: tuple[Key, ...] = Field((), description="Keys of actions or options of this scenario.")


class Finds(StrEnum):
    """What of a diagnosis the bot can find out for itself; each is so, or is not so."""

    ALL_ENDPOINTS_SLOW = "all_endpoints_slow"
    RESOURCES_NORMAL = "resources_normal"
    EVERY_INSTANCE = "every_instance"
    SINCE_DEPLOYMENT = "since_deployment"


class Question(Part):
    """One question of the diagnosis, asked with buttons."""

    key: Key
    ask: Text
    finds: Finds | None = Field(None, description="What the bot finds out to answer it by itself.")
    answers: tuple[Answer, ...] = Field(min_length=2, max_length=5)


class Risk(StrEnum):
    """How risky an option is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Option(Part):
    """One row of a scenario's table of options. ``or_more`` is the guide's "30 min+"."""

    key: Key
    title: Short
    minutes: float = Field(gt=0, description="How long it takes, minutes.")
    or_more: bool = Field(False, description="It may take longer than that.")
    risk: Risk
    result: Text
    does: Does = Does.BY_HAND
    recommended: bool = Field(False, description="The one the guide recommends; only one can be.")


class SubStep(Part):
    """One thing to do within a step of a scenario's clock."""

    key: Key
    title: Text


class ClockStep(Part):
    """One step of a scenario that runs on a clock, minutes after the scenario was chosen.

    ``needed_to_close`` keeps the incident open until the step, with all its sub-steps, is done.
    """

    key: Key
    at_minutes: float = Field(ge=0, description="Minutes after the scenario was chosen.")
    title: Short
    does: Does = Does.BY_HAND
    notice: Key | None = None
    steps: tuple[SubStep, ...] = ()
    needed_to_close: bool = Field(
        False, description="The incident stays open until this and its sub-steps are done."
    )


class Span(Part):
    """From so many minutes to so many."""

    from_minutes: float = Field(ge=0, description="At least, minutes.")
    to_minutes: float = Field(gt=0, description="At most, minutes.")
    note: Text | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_minutes <= self.from_minutes:
            raise ValueError("to_minutes must be greater than from_minutes")
        return self


class FollowUpPlan(Part):
    """What is to be done after the incident; it becomes a task with an owner and a due date."""

    key: Key
    title: Text
    due_days: float = Field(7, gt=0, le=365, description="When it is due, days after the incident.")
    owner: Key | None = Field(None, description="Key of a contact who gets it first.")
    postpones_deployment: bool = Field(
        False, description="Shown by /canary status until it is done: do not deploy again yet."
    )


class Scenario(Part):
    """One way a deployment fails, and what the team does about it.

    ``before_rollback`` is asked before the bot rolls back in this scenario: an answer whose
    ``holds_back`` is true keeps the button from being offered without a second thought.
    """

    key: Key
    number: int = Field(ge=1, le=99, description="Its number in the guide.")
    name: Short
    failure_type: FailureType
    severity: Severity
    warning: Text | None = None
    symptom: Text
    seen_after_minutes: float = Field(
        ge=0, description="How long after a deployment it typically shows, minutes."
    )
    example_at: ClockTime | None = Field(None, description="The time of day in the guide's example.")
    causes: tuple[Text, ...] = Field(min_length=1)
    before_rollback: "SafetyQuestion | None" = None
    questions: tuple[Question, ...] = ()
    actions: tuple[Action, ...] = ()
    options: tuple[Option, ...] = ()
    clock: tuple[ClockStep, ...] = ()
    recovery: Span
    follow_ups: tuple[FollowUpPlan, ...] = ()

    @model_validator(mode="after")
    def _says_what_to_do(self) -> Self:
        if not self.actions and not self.clock:
            raise ValueError("write what to do at once: actions or a clock")
        return self

    @model_validator(mode="after")
    def _refers_to_itself(self) -> Self:
        questions = [q.key for q in self.questions]
        doable = {a.key for a in self.actions} | {o.key for o in self.options}
        for place, question in enumerate(self.questions):
            for answer in question.answers:
                if answer.next is not None and answer.next not in questions[place + 1 :]:
                    raise ValueError(
                        f"question {question.key!r}, answer {answer.key!r}: next must be a later question"
                    )
                unknown = set(answer.suggests) - doable
                if unknown:
                    raise ValueError(
                        f"question {question.key!r}, answer {answer.key!r}: "
                        f"suggests {sorted(unknown)[0]!r}, which is no action or option here"
                    )
        if sum(option.recommended for option in self.options) > 1:
            raise ValueError("only one option can be the recommended one")
        return self


class SafetyQuestion(Part):
    """Asked before a rollback where going back could itself do harm (a migration, above all)."""

    key: Key
    ask: Text
    answers: tuple["SafetyAnswer", ...] = Field(min_length=2, max_length=5)


class SafetyAnswer(Part):
    """One answer; ``holds_back`` means: do not roll back before somebody has made it safe."""

    key: Key
    say: Short
    means: Text
    holds_back: bool = Field(False, description="Do not roll back without a second thought.")


class Sees(StrEnum):
    """What the bot can see for itself, and so ticks or fails with evidence."""

    ROLLBACK_DECIDED = "rollback_decided"
    TEAM_ALERTED = "team_alerted"
    ROLLBACK_EXECUTED = "rollback_executed"
    TRAFFIC_STABLE = "traffic_stable"
    ERROR_RATE = "error_rate"
    P95 = "p95"
    LOG_ERRORS_DROPPED = "log_errors_dropped"
    ALL_GREEN = "all_green"
    RECORDED = "recorded"
    POST_MORTEM = "post_mortem"


class StepPlan(Part):
    """One step of the rollback checklist. ``link`` names one of the playbook's links."""

    key: Key
    title: Text
    sees: Sees | None = None
    owner: Key | None = Field(None, description="Key of a contact who gets it first.")
    link: Key | None = None


class PhasePlan(Part):
    """One phase of the checklist, in minutes after the decision to roll back."""

    key: Key
    name: Short
    from_minutes: float = Field(ge=0, description="Begins so many minutes after the decision.")
    to_minutes: float = Field(gt=0, description="Ends so many minutes after the decision.")
    steps: tuple[StepPlan, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_minutes <= self.from_minutes:
            raise ValueError("to_minutes must be greater than from_minutes")
        return self


class Contact(Part):
    """Whom to call. An empty ``name`` is the guide's [TBD]: the slot is reported as empty.

    ``then`` is who is called when nobody answered within ``within_minutes``.
    """

    role: Short
    name: Annotated[str, StringConstraints(max_length=80)] = Field(
        "", description="Who it is now; empty is reported as an empty slot."
    )
    channel: ChannelName | None = None
    user: SlackUser | None = None
    group: SlackGroup | None = None
    phone: Phone | None = None
    within_minutes: float = Field(
        gt=0, le=1440, description="Answers within so many minutes; then the next one is called."
    )
    then: Key | None = Field(None, description="Key of the contact who is called next.")
    page_at: tuple[Severity, ...] = Field(
        (), description="Called by the bot itself when an incident is this severe."
    )
    note: Text | None = None

    @property
    def reachable(self) -> bool:
        """True when there is any way to reach somebody: a name with a channel, person, group or number."""
        return bool(self.name) and any((self.channel, self.user, self.group, self.phone))


class Situation(StrEnum):
    """What a decision rule is about."""

    ERROR_RATE_ONCE = "error_rate_once"
    ERROR_RATE_IN_A_ROW = "error_rate_in_a_row"
    DATA_LOSS = "data_loss"
    MEMORY_EXPLOSION = "memory_explosion"
    SERVICE_DOWN = "service_down"


class Mode(StrEnum):
    """What the bot does when a rule has become true."""

    TELL = "tell"
    RECOMMEND = "recommend"
    AUTO = "auto"


class Rule(Part):
    """One row of "when to decide what"; ``readings`` in a row make it true."""

    when: Situation
    situation: Text
    verdict: Short
    action: Text
    readings: int = Field(1, ge=1, le=20, description="How many readings in a row make it true.")
    mode: Mode = Field(
        Mode.RECOMMEND,
        description="tell, recommend, or auto: roll back by itself, where somebody has armed the target.",
    )
    stop_seconds: int = Field(
        10, ge=0, le=300, description="For auto: how long people can stop it, seconds; 0 acts at once."
    )


class EarlyWarning(Part):
    """The score that fills with errors beyond the red line, faster than the guide's readings in a row."""

    mode: Mode = Field(Mode.RECOMMEND, description="tell, recommend or auto, as for rules.")
    stop_seconds: int = Field(
        10, ge=0, le=300, description="For auto: how long people can stop it, seconds; 0 acts at once."
    )
    false_alarms_per_deployment: float = Field(
        0.0005,
        gt=0,
        le=0.1,
        description="Accepted probability of a false alarm in one healthy deployment (0.0005: one in 2000).",
    )
    deployment_hours: float = Field(
        24, gt=0, le=720, description="How long a deployment may be watched; the bound is for all of it."
    )


class WatchPlan(Part):
    """How deployments are watched."""

    starts_by_itself: bool = Field(True, description="Begin when a canary gets traffic.")
    reading_seconds: int = Field(
        30, ge=10, le=600, description="Length of one reading of the request log, seconds."
    )
    longest_reading_seconds: int = Field(
        300, ge=10, le=3600, description="Thin traffic makes a reading longer, but no longer than this."
    )
    min_errors: int = Field(
        3, ge=1, le=1000, description="With fewer errors in a reading its error rate is never red."
    )
    probe: bool = Field(True, description="Ask both sides' health addresses, to see a service that is down.")
    early_warning: EarlyWarning = EarlyWarning()
    most_automatic_per_hour: int = Field(1, ge=1, le=10, description="Automatic rollbacks a target and hour.")
    most_automatic_per_day: int = Field(2, ge=1, le=20, description="Automatic rollbacks a target and day.")


class NoticePlan(Part):
    """A text for people: which template, where it is posted, and who has to agree.

    ``template`` is a file of ``templates/<language>/``. ``next_update_minutes`` reminds of the next one.
    """

    title: Short
    template: TemplateName
    channels: tuple[ChannelName, ...] = Field(min_length=1, description="Where it is posted.")
    needs_approval: bool = Field(False, description="The incident commander agrees before it is posted.")
    next_update_minutes: float | None = Field(
        None, gt=0, le=10_080, description="When the next one is due, minutes after this one."
    )


class Check(StrEnum):
    """What of readiness the bot can check for itself."""

    ROLLBACK_WORKS = "rollback_works"
    PERMISSIONS = "permissions"
    LOGS = "logs"
    CONTACTS = "contacts"
    BACKUPS = "backups"
    TEMPLATES = "templates"
    NOTICES = "notices"
    GUIDE_READ = "guide_read"


class ReadinessPoint(Part):
    """One point of the readiness checklist: checked by the bot, or confirmed by a person for a while."""

    key: Key
    title: Text
    check: Check | None = None
    good_for_days: float = Field(
        30, gt=0, le=365, description="How long a person's confirmation holds, days."
    )


class Backups(Part):
    """Where the age of the newest backup can be read: a command or a URL whose answer is an ISO date."""

    command: tuple[Line, ...] = Field((), description="Program and arguments; no shell.")
    url: WebAddress | None = Field(None, description="A page that answers with an ISO date.")
    not_older_than_hours: float = Field(26, gt=0, description="How old the newest backup may be, hours.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.command and self.url:
            raise ValueError("write command or url, not both")
        return self


class Link(Part):
    """A page to open; ``{project}``, ``{region}``, ``{service}`` and ``{canary}`` are filled in."""

    title: Short
    url: WebAddress


class EvidencePlan(Part):
    """Evidence of the cause analysis, and the name it is kept under."""

    key: Key
    title: Text
    file: EvidenceFile
    filter: Line | None = Field(None, description="Cloud Logging's filter, where it is logs.")
    limit: int | None = Field(None, ge=1, le=10_000, description="How many lines of the log.")


class Shows(StrEnum):
    """What of the differences between stable and canary is shown beside a point of the review."""

    ENVIRONMENT = "environment"
    RESOURCES = "resources"
    NETWORK = "network"


class ReviewPoint(Text):
    """One thing to look at when the cause is looked for."""

    shows: Shows | None = Field(
        None, description="What canary and stable have set differently, shown beside it."
    )


class Review(Part):
    """One part of the code review after a failure."""

    key: Key
    title: Text
    points: tuple[ReviewPoint, ...] = Field(min_length=1)


class Analysis(Part):
    """How the cause is looked for afterwards."""

    evidence: tuple[EvidencePlan, ...] = ()
    review: tuple[Review, ...] = ()
    post_mortem: Text | None = None


class Command(Part):
    """One of the guide's scripts, and what takes its place in Backout."""

    script: Line = Field(description="The guide's own command line.")
    does: Text
    now: Line = Field(description="What to type in Slack instead.")


class About(Part):
    """What the guide is for."""

    title: Text
    author: Annotated[str, StringConstraints(max_length=80)] = Field("", description="Who wrote it.")
    written: Annotated[str, StringConstraints(max_length=80)] = Field(
        "", description="When it was written and last reviewed."
    )
    status: Text | None = Field(None, description="How far it is, such as: ready.")
    purpose: Text
    overview: Text | None = Field(None, description="What it is about, in a sentence or two.")
    goals: tuple[Text, ...] = ()
    conclusion: Text
    essentials: tuple[Text, ...] = Field((), description="What has to be prepared.")
    closing: tuple[Text, ...] = Field((), description="The last words.")
    commands: tuple[Command, ...] = ()


BasedOn = Literal["phase4-canary"]
