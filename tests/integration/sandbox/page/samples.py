"""Canned workspaces for the page's tests: every kind of block in messages, every kind of input in a modal."""

from typing import Any

from bot.sandbox import names

Json = dict[str, Any]

#: 2025-10-22 14:05:03 UTC: 23:05 in Seoul, 10:05 in New York.
MOMENT = 1_761_141_903
CHANNEL = "C0OPERATIONS"


def plain(text: str) -> Json:
    """Return a `plain_text` object."""
    return {"type": "plain_text", "text": text, "emoji": True}


def mrkdwn(text: str) -> Json:
    """Return a `mrkdwn` object."""
    return {"type": "mrkdwn", "text": text}


def option(value: str, text: str) -> Json:
    """Return an option of a select, a menu, or a group of buttons."""
    return {"text": plain(text), "value": value}


def button(action_id: str, text: str, **more: Any) -> Json:
    """Return a button."""
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def section(text: str, **more: Any) -> Json:
    """Return a section with text."""
    return {"type": "section", "text": mrkdwn(text), **more}


def bot_message(number: int, *blocks: Json, **more: Any) -> Json:
    """Return the bot's message number `number`, a minute after the one before."""
    sent = {"ts": f"{MOMENT + 60 * number}.000100", "user": names.BOT_USER_ID, "bot_id": names.BOT_ID}
    return {**sent, "text": "fallback", "blocks": list(blocks), **more}


def person_message(number: int, user: str, text: str, **more: Any) -> Json:
    """Return a message that somebody typed."""
    return {"ts": f"{MOMENT + 60 * number}.000100", "user": user, "text": text, "blocks": [], **more}


def people() -> list[Json]:
    """Return the sandbox's cast as the server gives it."""
    keys = ("id", "name", "real_name", "locale", "tz", "role", "guest", "outsider")
    cast = [{key: getattr(person, key) for key in keys} for person in names.PEOPLE]
    colours = ["#7c3f58", "#2f6f4f", "#345c9c", "#8a5a1c", "#4b5563", "#555555", "#6d3fa0"]
    everybody = [
        {**one, "is_bot": False, "avatar_color": colour} for one, colour in zip(cast, colours, strict=True)
    ]
    robot = {
        "id": names.BOT_USER_ID,
        "name": "backout",
        "real_name": "Backout",
        "locale": "en-US",
        "tz": "UTC",
    }
    return [
        *everybody,
        {**robot, "role": "", "guest": False, "outsider": False, "is_bot": True, "avatar_color": "#1d5c4f"},
    ]


def channels() -> list[Json]:
    """Return the sandbox's channels and one direct message."""
    listed = [
        {"id": each.id, "name": each.name, "topic": each.topic, "is_im": False, "shared": each.shared}
        for each in names.CHANNELS
    ]
    return [*listed, {"id": "D0BACKOUT", "name": "backout", "topic": "", "is_im": True, "shared": False}]


def commands() -> list[Json]:
    """Return the bot's slash commands."""
    rows = (
        ("/rollback", "Take the canary out of traffic", "TARGET [force] [reason …]"),
        ("/canary", "Look at the canary", "status|metrics|logs|probe|watch|unwatch|ready [TARGET]"),
        ("/incident", "Run an incident", "new|list|show|note|severity|close …"),
    )
    return [{"command": name, "description": text, "usage_hint": hint} for name, text, hint in rows]


def shortcuts() -> list[Json]:
    """Return a shortcut of each kind."""
    rows = (
        ("Declare an incident", "global", "declare", "Start an incident from anywhere"),
        ("Add to the timeline", "message", "add_to_timeline", "Keep this message in the incident's timeline"),
    )
    keys = ("name", "type", "callback_id", "description")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def workspace(*messages: Json, channel: str = CHANNEL) -> Json:
    """Return a state whose `channel` holds `messages`; `views` is kept per user id."""
    return {
        "team": {"name": names.TEAM_NAME},
        "people": people(),
        "channels": channels(),
        "commands": commands(),
        "own_commands": ["/status", "/topic"],
        "shortcuts": shortcuts(),
        "tabs": {"home": True, "messages": True, "read_only": False},
        "messages": {channel: list(messages)},
        "views": {},
        "files": [],
        "version": 1,
    }


def drill(phase: str, **more: Any) -> Json:
    """Return what the server says of a drill of the fourth scenario."""
    scenarios = [
        {"key": "error_rate", "number": 1, "name": {"en": "Error rate jumps", "ko": "에러율 급증"}},
        {"key": "data_loss", "number": 4, "name": {"en": "Data loss", "ko": "데이터 손실"}},
    ]
    said = {"phase": phase, "scenarios": scenarios, "scenario": "data_loss", "problem": None}
    return said | {"drill": None, "scores": []} | more


def cloud() -> Json:
    """Return three services: one splits between revisions, a router, and a failing canary service."""
    healthy = dict.fromkeys(("errors", "slow", "leak", "lost", "down", "slow_one"), False)
    deployed = "2025-10-22T13:55:00Z"
    common = {
        "wanted": [],
        "reconciling": False,
        "revisions": [],
        "changed_at": deployed,
        "changed_by": "deployer@ion-sandbox.iam.gserviceaccount.com",
        "faults": healthy,
        "can_fail": False,
        "lost_conversations": 0,
        "stage": None,
    }
    stages = {"stages": [5, 10, 25, 50, 100]}
    troubles = ("google_slow", "google_unavailable", "slack_limited", "competing", "broken_stable")
    services: list[Json] = [
        {
            **common,
            "name": names.API_SERVICE,
            "topology": "revisions",
            "role": "revisions",
            "traffic": [{"name": names.API_STABLE, "percent": 90}, {"name": names.API_CANARY, "percent": 10}],
            "wanted": [{"name": names.API_STABLE, "percent": 100}],
            "reconciling": True,
            "revisions": [
                revision(names.API_STABLE, 18.2, 0.1, 148, memory=60, cpu=24),
                revision(names.API_CANARY, 2.1, 5.4, 312, memory=72.4, cpu=91),
            ],
            "can_fail": True,
            "stage": {
                **stages,
                "stable": names.API_STABLE,
                "canary": names.API_CANARY,
                "percent": 10,
                "wanted": 0,
            },
        },
        {
            **common,
            "name": names.CHAT_ROUTER,
            "topology": "services",
            "role": "router",
            "traffic": [{"name": "ion-chat-router-00009-dia", "percent": 100}],
            "stage": {
                **stages,
                "stable": names.CHAT_SERVICE,
                "canary": names.CHAT_CANARY_SERVICE,
                "percent": 5,
                "wanted": 5,
            },
        },
        {
            **common,
            "name": names.CHAT_CANARY_SERVICE,
            "topology": "services",
            "role": "canary",
            "traffic": [{"name": "ion-chat-canary-00007-abc", "percent": 100}],
            "revisions": [revision("ion-chat-canary-00007-abc", 0, None, None, memory=None, cpu=None)],
            "faults": {**healthy, "down": True, "lost": True},
            "can_fail": True,
            "lost_conversations": 12,
        },
    ]
    return {
        "services": services,
        "troubles": dict.fromkeys(troubles, False),
        "can_report": True,
        "strip_seconds": 5,
        "strip_pieces": 60,
    }


def revision(
    name: str,
    requests: float,
    errors: float | None,
    p95: float | None,
    *,
    memory: float | None,
    cpu: float | None,
) -> Json:
    """Return a revision whose figures were not measured at first, and half of this until just now."""
    figures = {
        "requests_per_second": requests,
        "error_percent": errors,
        "p95_ms": p95,
        "memory_percent": memory,
        "cpu_percent": cpu,
    }
    strip = {
        figure: [None, *[value and value / 2] * 8, *[value] * 3] if value is not None else [None] * 12
        for figure, value in figures.items()
    }
    described = {
        "image": "ion-api:42",
        "deployed_at": "2025-10-22T13:55:00Z",
        "deployed_by": "gitco@ion.example",
    }
    return {"name": name, **described, **figures, "strip": strip}


CONFIRM: Json = {
    "title": plain("Roll back ion-api?"),
    "text": mrkdwn("100 % to `ion-api-00041-kim`. *Users notice nothing.*"),
    "confirm": plain("Roll back"),
    "deny": plain("Keep the canary"),
    "style": "danger",
}

FLAGS: list[Json] = [
    section(
        "*Error rate* :red_circle: 5.4 % (> 1.0 %)\n*P95* :large_yellow_circle: 312 ms (> 200 ms)\n"
        f"Read <!date^{MOMENT}^{{date_num}} {{time_secs}}|2025-10-22 14:05:03 UTC> by <@U0GITCO>, "
        "see <#C0MONITORING>",
        accessory={
            "type": "overflow",
            "action_id": "more",
            "options": [option("logs", "Show logs :page_facing_up:"), option("probe", "Probe again")],
        },
        block_id="flags",
    )
]

BOARD: list[Json] = [
    {"type": "header", "text": plain(":rotating_light: ion-api: error rate jumps")},
    *FLAGS,
    {
        "type": "section",
        "fields": [
            mrkdwn("*Severity*\nHigh"),
            mrkdwn("*Lead*\n<@U0SENA>"),
            mrkdwn("*Phase*\n1 · Immediately"),
            mrkdwn("*Detected*\n5 minutes after the deployment"),
        ],
    },
    {
        "type": "context",
        "elements": [
            {"type": "image", "image_url": "/static/icon.svg", "alt_text": "Backout"},
            mrkdwn("Cloud Monitoring · 1,284 requests · 38 s old"),
        ],
    },
    {"type": "divider"},
    {
        "type": "actions",
        "block_id": "decide",
        "elements": [
            button("rollback", "Roll back", style="danger", confirm=CONFIRM),
            button("watch", "Keep watching", style="primary"),
            button("details", "Details"),
            {
                "type": "static_select",
                "action_id": "severity",
                "placeholder": plain("Severity"),
                "options": [option("critical", "Critical"), option("high", "High"), option("low", "Low")],
                "initial_option": option("high", "High"),
            },
        ],
    },
]

CHOICES: list[Json] = [
    {
        "type": "actions",
        "block_id": "choices",
        "elements": [
            {
                "type": "checkboxes",
                "action_id": "steps",
                "options": [option("alert", "Alert the team"), option("rollback", "Run the rollback")],
            },
            {
                "type": "radio_buttons",
                "action_id": "verdict",
                "options": [option("good", "Normal"), option("bad", "Not normal")],
            },
            {
                "type": "datepicker",
                "action_id": "day",
                "initial_date": "2025-10-22",
                "placeholder": plain("Day"),
            },
        ],
    }
]

RICH: list[Json] = [
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": "Timeline", "style": {"bold": True}},
                    {"type": "text", "text": " of "},
                    {"type": "user", "user_id": "U0SENA"},
                    {"type": "text", "text": " in "},
                    {"type": "channel", "channel_id": "C0CRITICAL"},
                    {"type": "text", "text": " "},
                    {"type": "emoji", "name": "rotating_light"},
                    {"type": "text", "text": " a & b <c> "},
                    {"type": "link", "url": "https://example.org/runbook", "text": "runbook"},
                ],
            },
            {
                "type": "rich_text_list",
                "style": "ordered",
                "elements": [
                    {
                        "type": "rich_text_section",
                        "elements": [{"type": "text", "text": "Decide", "style": {"strike": True}}],
                    },
                    {
                        "type": "rich_text_section",
                        "elements": [{"type": "text", "text": "Roll back", "style": {"code": True}}],
                    },
                ],
            },
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "the service is normal"}]},
            {
                "type": "rich_text_preformatted",
                "elements": [{"type": "text", "text": "gcloud run services update-traffic ion-api"}],
            },
        ],
    },
]

MORE_BLOCKS: list[Json] = [
    {
        "type": "alert",
        "level": "error",
        "text": mrkdwn("*Not verified*: stable answers, the request log is silent"),
    },
    {"type": "image", "image_url": "/static/icon.svg", "alt_text": "P95 over time", "title": plain("P95")},
    {"type": "image", "image_url": "https://elsewhere.example/chart.png", "alt_text": "A chart elsewhere"},
    {
        "type": "table",
        "column_settings": [None, {"align": "right"}],
        "rows": [
            [{"type": "raw_text", "text": "Metric"}, {"type": "raw_text", "text": "Value"}],
            [
                {
                    "type": "rich_text",
                    "elements": [
                        {
                            "type": "rich_text_section",
                            "elements": [{"type": "text", "text": "P95", "style": {"bold": True}}],
                        }
                    ],
                },
                {"type": "raw_text", "text": "312 ms"},
            ],
        ],
    },
    {
        "type": "markdown",
        "text": "# Deployment failure record\n\nOccurred: **2025-10-22** `14:05` UTC\n\n"
        "- [x] rolled back\n- [ ] post-mortem\n\n| Metric | Value |\n|---|---|\n| errors | +5.4 % |\n\n"
        "> users noticed\n\n```\nlog line <b>\n```\nSee [the guide](https://example.org/guide).",
    },
    {"type": "hologram", "text": "not a Block Kit block"},
]

MARKUP = (
    "*bold* _italic_ ~strike~ `code *plain*` snake_case_name 5 * 3 * 2 *굵게*는\n"
    "> quoted *line*\n• first\n• second\n```\npre *formatted* &lt;b&gt;\n```\n"
    "<https://example.org/a?b=1&amp;c=2|the *link*> <!here> <!subteam^S0DEVOPS|@devops> "
    ":white_check_mark: :no_such_emoji: &amp;lt; &quot; <javascript:alert(1)|click>"
)


def modal(view_id: str = "V0FIRST", **more: Any) -> Json:
    """Return a modal with every kind of input."""
    text = {
        "type": "plain_text_input",
        "action_id": "reason",
        "placeholder": plain("What happened?"),
        "min_length": 5,
        "max_length": 200,
    }
    long_text = {
        "type": "plain_text_input",
        "action_id": "effect",
        "multiline": True,
        "initial_value": "Checkout fails",
    }
    severity = {
        "type": "static_select",
        "action_id": "severity",
        "options": [option("critical", "Critical"), option("high", "High")],
        "initial_option": option("high", "High"),
    }
    loss = {
        "type": "radio_buttons",
        "action_id": "loss",
        "options": [option("yes", "Yes"), option("no", "No")],
        "initial_option": option("no", "No"),
    }
    tell = {
        "type": "checkboxes",
        "action_id": "tell",
        "options": [option("users", "Users"), option("managers", "Managers")],
        "initial_options": [option("users", "Users")],
    }
    users = {
        "type": "number_input",
        "action_id": "users",
        "is_decimal_allowed": False,
        "min_value": "0",
        "max_value": "1000000",
    }
    return {
        "id": view_id,
        "type": "modal",
        "hash": "1.aaa",
        "title": plain("Declare an incident"),
        "submit": plain("Declare"),
        "close": plain("Not now"),
        "blocks": [
            section("The canary of *ion-api* looks bad."),
            {
                "type": "input",
                "block_id": "reason_block",
                "label": plain("Reason"),
                "hint": plain("One line is enough."),
                "element": text,
            },
            {
                "type": "input",
                "block_id": "effect_block",
                "label": plain("Effect on users"),
                "optional": True,
                "element": long_text,
            },
            {"type": "input", "block_id": "severity_block", "label": plain("Severity"), "element": severity},
            {"type": "input", "block_id": "loss_block", "label": plain("Was data lost?"), "element": loss},
            {
                "type": "input",
                "block_id": "tell_block",
                "label": plain("Tell"),
                "optional": True,
                "element": tell,
            },
            {
                "type": "input",
                "block_id": "users_block",
                "label": plain("Users affected"),
                "optional": True,
                "element": users,
            },
        ],
        **more,
    }


#: Every kind of element that picks, and a long text.
PICKERS: list[Json] = [
    {
        "type": "users_select",
        "action_id": "owner",
        "placeholder": plain("Somebody"),
        "initial_user": "U0LUBIT",
    },
    {"type": "channels_select", "action_id": "channel"},
    {"type": "conversations_select", "action_id": "conversation"},
    {
        "type": "static_select",
        "action_id": "scenario",
        "option_groups": [
            {"label": plain("Likely"), "options": [option("errors", "Errors")]},
            {"label": plain("Other"), "options": [option("down", "Down"), option("loss", "Loss")]},
        ],
    },
    {
        "type": "multi_static_select",
        "action_id": "seen",
        "max_selected_items": 2,
        "options": [option("a", "Slow"), option("b", "Errors"), option("c", "Gone")],
    },
    {"type": "multi_users_select", "action_id": "told", "initial_users": ["U0SENA"]},
    {"type": "datepicker", "action_id": "day", "initial_date": "2025-10-22"},
    {"type": "timepicker", "action_id": "time"},
    {"type": "datetimepicker", "action_id": "since", "initial_date_time": MOMENT},
    {"type": "plain_text_input", "action_id": "note", "multiline": True, "max_length": 10},
]


def asking(*elements: Json) -> list[Json]:
    """Return an input block for each element, labelled with its action_id."""
    return [
        {"type": "input", "block_id": f"{e['action_id']}_block", "label": plain(e["action_id"]), "element": e}
        for e in elements
    ]
