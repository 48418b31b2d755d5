"""Mistakes in a team's copy of the guide: each is shown at its line, with what to write instead."""

from pathlib import Path

import pytest

from bot.adapters.playbook_file import DEFAULT, BadPlaybook, Fault, check_playbook, read_playbook

GUIDE = DEFAULT.read_text("utf-8")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "playbook.yaml"


def changed(*changes: tuple[str, str]) -> str:
    """Return the guide with the first place of each old text replaced."""
    text = GUIDE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def faults(path: Path, text: str) -> list[Fault]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadPlaybook) as bad:
        read_playbook(path)
    return list(bad.value.faults)


def first_line(text: str, part: str, after: str = "") -> int:
    """Return the line of the first `part` behind `after`."""
    return text[: text.index(part, text.index(after))].count("\n") + 1


#: What was written, what stands there now, where the fault is, and what it says.
MISTAKES = [
    # References.
    (
        "        link: grafana",
        "        link: grafanna",
        "checklist.2.steps.2.link",
        "no link 'grafanna'; did you mean 'grafana'?",
    ),
    (
        "        sees: rollback_decided",
        "        owner: manger",
        "checklist.0.steps.0.owner",
        "no contact 'manger'; did you mean 'manager'?",
    ),
    (
        "    then: backend",
        "    then: backnd",
        "contacts.deployment_lead.then",
        "no contact 'backnd'; did you mean 'backend'?",
    ),
    (
        "        notice: data_loss",
        "        notice: dataloss",
        "scenarios.3.clock.2.notice",
        "did you mean 'data_loss'?",
    ),
    (
        "        link: profiler",
        "        link: qqqqq",
        "scenarios.2.actions.2.link",
        "no link 'qqqqq'; write one of console, grafana, logs, profiler",
    ),
    (
        "        due_days: 1",
        "        owner: nobody_here",
        "scenarios.0.follow_ups.3.owner",
        "write one of backend, deployment_lead, devops, manager, monitoring",
    ),
    (
        "            next: resources_normal",
        "            next: resources_norml",
        "scenarios.1.questions.0.answers.0.next",
        "no later question 'resources_norml'; did you mean 'resources_normal'?",
    ),
    (
        "            suggests: [roll_back]",
        "            suggests: [roll_bak]",
        "scenarios.1.questions.1.answers.0.suggests.0",
        "no action or option of this scenario 'roll_bak'; did you mean 'roll_back'?",
    ),
    (
        "    then: manager",
        "    then: deployment_lead",
        "contacts.monitoring.then",
        "in a circle (deployment_lead → backend → devops → monitoring → deployment_lead)",
    ),
    (
        "    then: backend",
        "    then: deployment_lead",
        "contacts.deployment_lead.then",
        "goes in a circle (deployment_lead → deployment_lead)",
    ),
    (
        "template: incident_opened.md",
        "template: incident_open.md",
        "notices.incident_opened.template",
        "no templates/en/incident_open.md; did you mean 'incident_opened.md'?",
    ),
    # What a button needs.
    ("        notice: data_loss\n", "", "scenarios.3.clock.2.does", "tell needs 'notice'"),
    ("        link: profiler\n", "", "scenarios.2.actions.2.does", "link needs 'link'"),
    (
        "        filter: resource.type=cloud_run_revision AND jsonPayload.latency_ms > 500\n",
        "",
        "scenarios.1.actions.1.does",
        "logs needs 'filter'",
    ),
    (
        "        does: reduce_traffic",
        "        does: logs",
        "scenarios.1.options.1.does",
        "logs is not possible here: write it as one of 'actions'",
    ),
    # Keys used twice.
    (
        "  - key: response_time\n    number: 2",
        "  - key: error_rate\n    number: 2",
        "scenarios.1.key",
        "the key 'error_rate' is used already, by scenarios.0",
    ),
    ("    number: 2", "    number: 1", "scenarios.1.number", "the number 1 is used already"),
    (
        "      - key: status",
        "      - key: detect",
        "scenarios.0.actions.2.key",
        "used already, by scenarios.0.actions.0",
    ),
    (
        "      - key: hotfix",
        "      - key: metrics",
        "scenarios.1.options.3.key",
        "used already, by scenarios.1.actions.0",
    ),
    (
        "      - key: add_test_cases",
        "      - key: review_code_again",
        "scenarios.0.follow_ups.2.key",
        "'review_code_again' is used already",
    ),
    (
        "      - key: since_when",
        "      - key: every_instance",
        "scenarios.2.questions.1.key",
        "'every_instance' is used already",
    ),
    (
        "          - key: later",
        "          - key: after_deployment",
        "scenarios.2.questions.1.answers.1.key",
        "used already",
    ),
    (
        "        - key: not_known",
        '        - key: "yes"',
        "scenarios.3.before_rollback.answers.2.key",
        "used already",
    ),
    ("      - key: restore\n", "      - key: roll_back\n", "scenarios.3.clock.1.key", "used already"),
    (
        "          - key: check_users",
        "          - key: restore_backup",
        "scenarios.3.clock.3.steps.1.key",
        "used already, by scenarios.3.clock.1.steps.0",
    ),
    ("  - key: verify\n", "  - key: confirm\n", "checklist.2.key", "used already"),
    (
        "      - key: start_analysis",
        "      - key: decide",
        "checklist.3.steps.2.key",
        "used already, by checklist.0.steps.0",
    ),
    (
        "  - when: service_down",
        "  - when: data_loss",
        "rules.4.when",
        "the situation 'data_loss' is used already",
    ),
    ("  - key: guide_read", "  - key: logs", "readiness.9.key", "used already, by readiness.4"),
    ("    - key: canary_config", "    - key: error_logs", "analysis.evidence.2.key", "used already"),
    (
        "        does: by_hand\n    recovery",
        "        does: by_hand\n        recommended: true\n    recovery",
        "scenarios.1.options.3.recommended",
        "only one option can be the recommended one",
    ),
    # Order.
    (
        "    from_minutes: 1\n    to_minutes: 2\n    steps",
        "    from_minutes: 0.5\n    to_minutes: 2\n    steps",
        "checklist.1.from_minutes",
        "begins at minute 0.5, but the phase before it ends at 1: write 1",
    ),
    (
        "    from_minutes: 2\n    to_minutes: 5",
        "    from_minutes: 2\n    to_minutes: 2",
        "checklist.2.to_minutes",
        "must be greater than from_minutes (2)",
    ),
    (
        "recovery: {from_minutes: 2, to_minutes: 3}",
        "recovery: {from_minutes: 3, to_minutes: 2}",
        "scenarios.0.recovery.to_minutes",
        "must be greater",
    ),
    (
        "        at_minutes: 2",
        "        at_minutes: 1",
        "scenarios.3.clock.2.at_minutes",
        "minute 1 does not come after 1: put the steps in order",
    ),
    # Placeholders.
    (
        "?project={project}",
        "?project={projct}",
        "links.logs.url",
        "{projct} is no placeholder; did you mean '{project}'?",
    ),
    (
        "?project={project}",
        "?project={",
        "links.logs.url",
        "a brace that belongs to no placeholder: write %7B or %7D",
    ),
    (
        "service_name={canary}",
        "service_name={service}",
        "scenarios.4.actions.1.filter",
        "{service} is no placeholder; write one of {canary}",
    ),
    # Units.
    (
        "    yellow_above: 0.5\n    red_above: 1.0",
        "    yellow_above: 0.005\n    red_above: 0.5",
        "thresholds.error_rate_percent.yellow_above",
        "0.005 looks like a ratio: write 0.5 for 0.5 %",
    ),
    (
        "    yellow_above: 0.5\n    red_above: 1.0",
        "    yellow_above: 0\n    red_above: 0.01",
        "thresholds.error_rate_percent.red_above",
        "0.01 looks like a ratio: write 1 for 1 %",
    ),
    (
        "    yellow_above: 70\n    red_above: 85",
        "    yellow_above: 70\n    red_above: 850",
        "thresholds.memory_percent.red_above",
        "850 is a percentage: write a number up to 100",
    ),
    (
        "    yellow_above: 70\n    red_above: 85",
        "    yellow_above: 0.7\n    red_above: 85",
        "thresholds.memory_percent.yellow_above",
        "0.7 looks like a ratio: write 70 for 70 %",
    ),
    (
        "  error_rate_below_percent: 0.5",
        "  error_rate_below_percent: 0.005",
        "verification.error_rate_below_percent",
        "write 0.5 for 0.5 %",
    ),
    (
        "  p95_below_ms: 200",
        "  p95_below_ms: 0.2",
        "verification.p95_below_ms",
        "0.2 ms looks like seconds: write 200 for milliseconds",
    ),
    (
        "    yellow_above: 200\n",
        "    yellow_above: 0.2\n",
        "thresholds.p95_ms.yellow_above",
        "write 200 for milliseconds",
    ),
    (
        "    yellow_above: 200\n    red_above: 500\n",
        "    yellow_above: 200\n    red_above: 500000\n",
        "thresholds.p95_ms.red_above",
        "500000 ms looks like microseconds: write 500 for milliseconds",
    ),
    (
        "  reading_seconds: 30\n",
        "  reading_seconds: 30000\n",
        "watch.reading_seconds",
        "30000 s looks like milliseconds: write 30 for seconds",
    ),
    (
        "    deployment_hours: 24\n",
        "    deployment_hours: 1440\n",
        "watch.early_warning.deployment_hours",
        "1440 h looks like minutes: write 24 for hours",
    ),
    (
        "    false_alarms_per_deployment: 0.0005\n",
        "    false_alarms_per_deployment: 5\n",
        "watch.early_warning.false_alarms_per_deployment",
        "5 looks like a percentage: write 0.05 for 5 % of healthy deployments",
    ),
    # What the bot answers by itself.
    (
        "            when: true\n            means: {en: Infrastructure",
        "            means: {en: Infrastructure",
        "scenarios.1.questions.0.finds",
        "no answer has 'when: true': write it beside the one that the bot gives then",
    ),
    (
        "            when: false\n            means: {en: One feature",
        "            when: true\n            means: {en: One feature",
        "scenarios.1.questions.0.answers.1.when",
        "only one answer can have 'when: true': remove it here",
    ),
    (
        "        finds: since_deployment\n",
        "",
        "scenarios.2.questions.1.answers.0.when",
        "only where the question 'finds' something: write 'finds' there, or remove it",
    ),
    # Contradictions.
    (
        "ko: 즉시 롤백 + 복구}\n    mode: recommend\n",
        "ko: 즉시 롤백 + 복구}\n    mode: auto\n",
        "rules.2.mode",
        "no machine sees lost data, people report it: write recommend",
    ),
    (
        "    readings: 1\n    mode: tell\n",
        "    readings: 1\n    mode: auto\n",
        "rules.0.mode",
        "one reading is no reason to roll back: write tell",
    ),
    (
        "  min_errors: 3\n",
        "  min_errors: 51\n",
        "watch.min_errors",
        "a reading of 50 requests never has 51 errors, so it could not be red: write at most 50",
    ),
    (
        "  longest_reading_seconds: 300\n",
        "  longest_reading_seconds: 20\n",
        "watch.reading_seconds",
        "reading_seconds is 30, but the longest reading is shorter (longest_reading_seconds: 20)",
    ),
    (
        "  most_automatic_per_hour: 1\n",
        "  most_automatic_per_hour: 3\n",
        "watch.most_automatic_per_hour",
        "most_automatic_per_hour is 3, but there are fewer in a whole day (most_automatic_per_day: 2)",
    ),
    # Words, in their languages.
    (
        "{en: Detect a failed deployment fast, ko: 배포 실패를 빠르게 감지}",
        "{en: Detect a failed deployment fast}",
        "about.goals.0.ko",
        "is missing: write it",
    ),
    (
        "{en: Detect a failed deployment fast, ko: 배포 실패를 빠르게 감지}",
        "Detect it fast",
        "about.goals.0",
        "write keys and values here (en, ko) (found 'Detect it fast')",
    ),
    (
        "    severity: high",
        "    severity: hihg",
        "scenarios.0.severity",
        "write 'critical', 'high', 'medium' or 'low' (found 'hihg'); did you mean 'high'?",
    ),
    (
        "        does: describe",
        "        does: descrbe",
        "scenarios.4.actions.0.does",
        "did you mean 'describe'?",
    ),
    (
        '    example_at: "14:05"',
        '    example_at: "25:05"',
        "scenarios.0.example_at",
        "does not have the right form, such as '14:05'",
    ),
    (
        "        at_minutes: 1\n",
        "        at_minutes: 01:00\n",
        "scenarios.3.clock.1.at_minutes",
        "found '01:00'): write 1 (minutes)",
    ),
    (
        "        at_minutes: 1\n",
        '        at_minutes: "1"\n',
        "scenarios.3.clock.1.at_minutes",
        "found '1'): write 1 without quotes",
    ),
    (
        "        limit: 10\n",
        "        limit:\n",
        "scenarios.1.actions.1.limit",
        "write a value, or remove the line",
    ),
    (
        'channels: ["#critical-incidents"]',
        'channels: "#critical-incidents"',
        "notices.incident_opened.channels",
        "write [#critical-incidents]",
    ),
    (
        '    channel: "#operations"',
        '    channel: "Operations Team"',
        "contacts.deployment_lead.channel",
        "did you mean '#operations-team'?",
    ),
    (
        '    channel: "#operations"',
        "    phone: call me",
        "contacts.deployment_lead.phone",
        "such as '+82 2 1234 5678'",
    ),
    (
        '    channel: "#operations"',
        '    user: "u0sena"',
        "contacts.deployment_lead.user",
        "did you mean 'U0SENA'?",
    ),
    (
        "  - key: memory\n",
        "  - key: Memory Explosion\n",
        "scenarios.2.key",
        "did you mean 'memory_explosion'?",
    ),
    (
        "  deployment_lead:\n",
        "  Deployment Lead:\n",
        "contacts.Deployment Lead",
        "did you mean 'deployment_lead'?",
    ),
]


@pytest.mark.parametrize(("old", "new", "place", "words"), MISTAKES, ids=[row[2] for row in MISTAKES])
def test_a_mistake_in_the_guide_is_shown_where_it_is(
    path: Path, old: str, new: str, place: str, words: str
) -> None:
    text = changed((old, new))

    found = faults(path, text)

    (line,) = {fault.line for fault in found if fault.path == place and words in fault.sentence}
    # A fault is where the change was made, or begins at the part around it.
    begins = text[: GUIDE.index(old)].count("\n") + 1
    assert begins - 4 <= line <= begins + max(new.count("\n"), old.count("\n")) + 3


def test_faults_point_at_the_very_line(path: Path) -> None:
    text = changed(
        ("        link: grafana", "        link: grafanna"), ("p95_below_ms: 200", "p95_below_ms: 0.2")
    )

    assert [fault.line for fault in faults(path, text)] == [
        first_line(text, "link: grafanna"),
        first_line(text, "p95_below_ms: 0.2"),
    ]


def test_every_mistake_is_shown_at_once_in_file_order(path: Path) -> None:
    text = changed(
        ('version: "2025-10-21"', "version: 5"),
        ("time_zone: Asia/Seoul", "time_zone: Asia/Soul"),
        ("    severity: high", "    severity: hihg"),
        ("            suggests: [roll_back]", "            suggests: [roll_bak]"),
        ("    then: manager", "    then: deployment_lead"),
        ("  p95_below_ms: 200", "  p95_below_ms: 0.2"),
        ("    region: us-central1", "    region: everywhere"),
    )

    found = faults(path, text)

    assert [fault.path for fault in found] == [
        "version",
        "time_zone",
        "scenarios.0.severity",
        "scenarios.1.questions.1.answers.0.suggests.0",
        "verification.p95_below_ms",
        "contacts.monitoring.then",
        "targets.canary.region",
    ]
    assert [fault.line for fault in found] == sorted(fault.line for fault in found)


def test_an_unknown_key_is_compared_with_those_of_its_own_place(path: Path) -> None:
    text = changed(("    seen_after_minutes: 5\n", "    sen_after_minutes: 5\n"))

    found = {fault.path: fault.sentence for fault in faults(path, text)}

    assert found == {
        "scenarios.0.sen_after_minutes": "not a known key; did you mean 'seen_after_minutes'?",
        "scenarios.0.seen_after_minutes": "is missing: write it",
    }


def test_a_scenario_has_something_to_do_at_once(path: Path) -> None:
    start, end = (
        GUIDE.index("    actions:\n      - key: describe"),
        GUIDE.index("    recovery:\n      from_minutes: 1\n"),
    )

    (fault,) = faults(path, GUIDE[:start] + GUIDE[end:])

    assert (fault.path, fault.sentence) == (
        "scenarios.4.actions",
        "write what to do at once here, or under 'clock'",
    )


# Based on the built-in playbook.

OWN = """\
schema: 1
version: mine-1
# A comment.
based_on: phase4-canary
targets:
  canary: {topology: revisions, region: us-central1, service: ion-api}
"""


def test_a_playbook_takes_over_every_section_that_it_does_not_write(path: Path) -> None:
    path.write_text(OWN)

    mine, guide = read_playbook(path), read_playbook(DEFAULT)

    assert (mine.version, mine.based_on) == ("mine-1", "phase4-canary")
    assert mine.targets["canary"].topology == "revisions"
    taken = {name for name in type(mine).model_fields if getattr(mine, name) == getattr(guide, name)}
    assert taken == set(type(mine).model_fields) - {"version", "based_on", "targets"}


def test_a_section_that_is_written_replaces_the_guides_as_a_whole(path: Path) -> None:
    path.write_text(OWN + "scenarios: []\nthresholds: {check_every_minutes: 1}\n")

    mine = read_playbook(path)

    assert mine.scenarios == ()
    assert (mine.thresholds.check_every_minutes, mine.thresholds.service_down) == (1, None)
    assert len(mine.steps()) == 12


def test_a_playbook_says_its_own_version(path: Path) -> None:
    (fault,) = faults(path, OWN.replace("version: mine-1\n", ""))

    assert (fault.path, fault.sentence) == ("version", "is missing: write it")


def test_a_base_that_does_not_exist_is_named(path: Path) -> None:
    found = {fault.path: fault for fault in faults(path, OWN.replace("phase4-canary", "phase5"))}

    assert (found["based_on"].line, "'phase4-canary'" in found["based_on"].sentence) == (4, True)


def test_a_fault_in_a_section_of_ones_own_has_its_line(path: Path) -> None:
    (fault,) = faults(path, OWN + "verification:\n  p95_below_ms: 0.2\n")

    assert (fault.line, fault.path) == (8, "verification.p95_below_ms")


def test_what_the_guide_asks_for_is_missed_in_the_section_that_replaced_it(path: Path) -> None:
    notices = """\
notices:
  resolved:
    title: {en: Resolved, ko: 해결}
    template: resolved.md
    channels: ["#status"]
"""

    (fault,) = faults(path, OWN + notices)

    assert str(fault) == (
        "playbook.yaml:7: notices: there is no notice 'data_loss' here, which "
        "scenarios.3.clock.2.notice of phase4-canary asks for: write it"
    )


# Worth a second look.


def remarks(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    return [str(warning) for warning in check_playbook(path).warnings]


def test_an_empty_slot_is_no_fault_but_is_mentioned(path: Path) -> None:
    line = first_line(GUIDE, "  manager:\n", after="\ncontacts:")

    said = remarks(path, GUIDE)

    slot = "contacts.manager: an empty slot ([TBD]): write who it is, and how to reach them"
    assert f"playbook.yaml:{line}: {slot}" in said


def test_the_built_in_playbook_mentions_what_a_team_has_to_fill_in(path: Path) -> None:
    assert [said.split(": ")[1] for said in remarks(path, GUIDE)] == [
        "roles",
        "contacts.manager",
        "links.grafana.url",
    ]


def test_a_contact_whom_nobody_can_reach_is_mentioned(path: Path) -> None:
    said = remarks(path, changed(('    channel: "#operations"\n', "")))

    assert any("contacts.deployment_lead: nobody can be reached" in line for line in said)


def test_a_question_that_nobody_is_led_to_is_mentioned(path: Path) -> None:
    text = GUIDE.replace("            next: since_when\n", "")

    assert any("scenarios.2.questions.1: no answer leads here" in line for line in remarks(path, text))


def test_a_playbook_without_the_guide_is_told_how_to_take_it_over(path: Path) -> None:
    said = remarks(path, OWN.replace("based_on: phase4-canary\n", ""))

    assert sum("write 'based_on: phase4-canary' to take over the guide's" in line for line in said) == 6


def test_a_mention_of_what_was_taken_over_points_at_the_base(path: Path) -> None:
    said = remarks(path, OWN)

    assert any(line.startswith("playbook.yaml:4: links.grafana.url: ") for line in said)
    assert any(line.endswith("(taken over from phase4-canary)") for line in said)


@pytest.mark.parametrize(
    ("way", "shown"),
    [
        ("user: U0BOSS", "U0BOSS"),
        ("group: S0BOSSES", "S0BOSSES"),
        ('phone: "+82 2 1234 5678"', "+82 2 1234 5678"),
        ('channel: "#boss"', "#boss"),
    ],
)
def test_a_contact_is_reached_by_any_of_four_ways(path: Path, way: str, shown: str) -> None:
    text = changed(('    name: ""\n', f"    name: Boss\n    {way}\n"))
    path.write_text(text, encoding="utf-8")

    checked = check_playbook(path)

    boss = checked.playbook.contacts["manager"]
    assert boss.reachable
    assert shown in (boss.user, boss.group, boss.phone, boss.channel)
    assert not any("contacts.manager" in str(warning) for warning in checked.warnings)
