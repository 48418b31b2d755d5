"""The built-in playbook says what the guide says: a line here for each line there, in both languages."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from bot.adapters.playbook_file import DEFAULT, read_playbook
from bot.domain.guide import (
    Check,
    Does,
    Mode,
    Part,
    Risk,
    Scenario,
    Sees,
    Short,
    Situation,
    Text,
    WatchPlan,
)
from bot.domain.incident import FailureType, Severity
from bot.domain.playbook import Permission, Playbook

HANGUL = re.compile(r"[가-힣]")


@cache
def guide() -> Playbook:
    return read_playbook(DEFAULT)


def scenario(key: str) -> Scenario:
    found = guide().scenario(key)
    assert found is not None
    return found


def both(text: Text | Short | None) -> tuple[str, str]:
    assert text is not None
    return text.en, text.ko


def korean(texts: Any) -> list[str]:
    return [text.ko for text in texts]


def texts(part: Any, place: str = "") -> Iterator[tuple[str, Text | Short]]:
    """Yield every text below `part`, with where it stands."""
    if isinstance(part, Text | Short):
        yield place, part
    elif isinstance(part, Part):
        for name in type(part).model_fields:
            yield from texts(getattr(part, name), f"{place}.{name}")
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from texts(value, f"{place}.{key}")
    elif isinstance(part, tuple):
        for number, value in enumerate(part):
            yield from texts(value, f"{place}.{number}")


#: Words that are the same in both languages.
SAME = {"Cloud Logging", "Cloud Profiler"}


@pytest.mark.parametrize(("place", "text"), list(texts(guide())), ids=lambda value: str(value)[:60])
def test_every_text_stands_in_both_languages(place: str, text: Text | Short) -> None:
    assert HANGUL.search(text.ko) or text.ko in SAME, place
    assert not HANGUL.search(text.en), place
    assert text.en == text.en.strip()


def test_what_the_guide_is_for() -> None:
    about = guide().about
    assert about is not None

    assert both(about.title) == ("Phase 4 deployment-failure guide", "Phase 4 배포 실패 대비 가이드")
    assert about.purpose.ko == "배포 중 최악의 경우에 대한 완벽한 대응 계획"
    assert korean(about.goals) == [
        "배포 실패를 빠르게 감지",
        "즉시 대응 (5분 이내 롤백)",
        "사용자 영향 최소화",
        "원인 분석 및 사후 대응",
    ]
    assert "2–3 minutes" in about.conclusion.en
    assert "대부분의 실패 상황을 2-3분 내에 복구" in about.conclusion.ko
    assert korean(about.essentials) == [
        "명확한 롤백 절차",
        "실시간 모니터링",
        "빠른 의사결정",
        "팀의 사전 준비",
    ]
    assert korean(about.closing) == [
        "이 가이드는 배포를 더 안전하게 만드는 도구입니다.",
        "배포 당일 준비: 이 가이드를 팀과 함께 검토하세요!",
    ]
    assert (about.author, about.written) == ("Sena", "2025-10-21")
    assert both(about.status) == ("Ready", "준비 완료")


def test_each_script_of_the_guide_has_what_takes_its_place() -> None:
    about = guide().about
    assert about is not None

    assert [(command.script, command.now) for command in about.commands] == [
        ("rollback_phase4_canary.ps1", "/rollback canary"),
        ("rollback_phase4_canary.ps1 -Force", "/rollback canary force"),
        ("check_monitoring_status.ps1", "/canary status"),
        ("get_canary_metrics.ps1", "/canary metrics"),
        ("rate_limit_probe.ps1 -RequestsPerSide 20 -DelayMsBetweenRequests 100", "/canary probe"),
        ('gcloud logging read "resource.type=cloud_run_revision AND …" --limit 50', "/canary logs"),
        ("gcloud run services describe ion-api-canary --region us-central1", "/canary status"),
        ("curl https://<legacy-url>/health", "/canary probe"),
    ]


# The five scenarios.

SCENARIOS = [
    # key, number, Korean name, failure type, severity, minutes after the deployment, time in the example
    ("error_rate", 1, "배포 직후 에러율 급증", FailureType.ERROR_RATE, Severity.HIGH, 5, "14:05"),
    ("response_time", 2, "응답 시간 급증", FailureType.RESPONSE_TIME, Severity.HIGH, 15, "14:15"),
    ("memory", 3, "메모리 폭발", FailureType.MEMORY, Severity.CRITICAL, 30, "14:30"),
    ("data_loss", 4, "데이터 손실/오염", FailureType.DATA_LOSS, Severity.CRITICAL, 45, "14:45"),
    ("service_down", 5, "Canary 서비스 완전 다운", FailureType.OTHER, Severity.CRITICAL, 35, "14:35"),
]


def test_the_scenarios_are_the_guides_five_in_its_order() -> None:
    assert [
        (s.key, s.number, s.name.ko, s.failure_type, s.severity, s.seen_after_minutes, s.example_at)
        for s in guide().scenarios
    ] == SCENARIOS


@pytest.mark.parametrize(
    ("key", "symptom", "causes"),
    [
        ("error_rate", "에러율: 0% → 5% (급증!)", ["새 코드 버그", "API 호환성 문제"]),
        ("response_time", "P95 응답시간: 150ms → 800ms (급증!)", ["추천 엔진 성능 문제", "DB 쿼리 병목"]),
        ("memory", "메모리: 60% → 95% → 99% (계속 증가)", ["메모리 누수", "세션 데이터 누적"]),
        (
            "data_loss",
            '사용자 보고: "내 대화 기록이 사라졌어요"',
            ["데이터베이스 마이그레이션 버그", "세션 삭제 로직 오류"],
        ),
        (
            "service_down",
            '상태: "Canary 서비스 응답 없음"',
            ["서비스 충돌", "배포 스크립트 오류", "GCP 문제"],
        ),
    ],
)
def test_symptoms_and_causes_are_in_the_guides_words(key: str, symptom: str, causes: list[str]) -> None:
    assert scenario(key).symptom.ko == symptom
    assert korean(scenario(key).causes) == causes


@pytest.mark.parametrize(
    ("key", "numbers"),
    [
        ("error_rate", ["0 %", "5 %"]),
        ("response_time", ["150 ms", "800 ms"]),
        ("memory", ["60 %", "95 %", "99 %"]),
    ],
)
def test_symptoms_have_the_same_numbers_in_english(key: str, numbers: list[str]) -> None:
    assert re.findall(r"\d+ (?:%|ms)", scenario(key).symptom.en) == numbers


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("memory", "매우 중대한 문제"),
        ("data_loss", "CRITICAL 상황입니다!"),
        ("data_loss", "절대 무시하면 안 됩니다!"),
    ],
)
def test_the_guides_warnings_are_there(key: str, said: str) -> None:
    assert said in both(scenario(key).warning)[1]


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("error_rate", []),
        (
            "response_time",
            [
                (
                    "모든 엔드포인트가 느린가?",
                    [
                        ("인프라 문제 (메모리/CPU/네트워크)", ()),
                        ("특정 기능 문제 (추천 엔진)", ("probe_endpoint",)),
                    ],
                ),
                (
                    "메모리/CPU는 정상인가?",
                    [
                        ("응용 로직 문제", ("roll_back",)),
                        ("자동 스케일링 또는 리소스 증설", ("add_resources",)),
                    ],
                ),
            ],
        ),
        (
            "memory",
            [
                (
                    "모든 인스턴스가 메모리 증가하나?",
                    [("애플리케이션 메모리 누수", ("emergency_rollback",)), ("특정 인스턴스 문제", ())],
                ),
                (
                    "메모리가 언제부터 증가했나?",
                    [("새 코드 문제 거의 확실", ("emergency_rollback",)), ("시간에 따른 누적 (세션 등)", ())],
                ),
            ],
        ),
        ("data_loss", []),
        ("service_down", []),
    ],
)
def test_the_questions_lead_where_the_guide_leads(key: str, asked: list[Any]) -> None:
    assert [
        (question.ask.ko, [(answer.means.ko, answer.suggests) for answer in question.answers])
        for question in scenario(key).questions
    ] == asked


@pytest.mark.parametrize("key", ["response_time", "memory"])
def test_every_answer_to_the_first_question_leads_to_the_second(key: str) -> None:
    first, second = scenario(key).questions

    assert {answer.next for answer in first.answers} == {second.key}
    assert {answer.next for answer in second.answers} == {None}


def test_memory_that_grew_since_the_deployment_or_thirty_minutes_after() -> None:
    answers = scenario("memory").questions[1].answers

    assert [both(answer.say) for answer in answers] == [
        ("Right after the deployment", "배포 직후"),
        ("30 minutes after", "30분 후"),
    ]


@pytest.mark.parametrize(
    ("key", "actions"),
    [
        (
            "error_rate",
            [
                ("자동 감지 및 자동 롤백", Does.METRICS),
                ("롤백 실행", Does.ROLL_BACK),
                ("상태 확인", Does.STATUS),
            ],
        ),
        (
            "response_time",
            [
                ("현재 메트릭 확인", Does.METRICS),
                ("GCP Cloud Logging에서 느린 요청 확인", Does.LOGS),
                ("어디가 느린지 파악", Does.BY_HAND),
                ("해당 엔드포인트 테스트", Does.PROBE),
            ],
        ),
        (
            "memory",
            [
                ("긴급 롤백 (Force)", Does.ROLL_BACK_FORCE),
                ("상태 확인", Does.STATUS),
                ("메모리 덤프 수집", Does.LINK),
            ],
        ),
        ("data_loss", []),
        (
            "service_down",
            [
                ("서비스 상태 확인", Does.DESCRIBE),
                ("로그 확인", Does.LOGS),
                ("롤백 (Force) 또는 재배포", Does.ROLL_BACK_FORCE),
                ("대체 경로 확인", Does.HEALTH),
            ],
        ),
    ],
)
def test_the_immediate_actions_stand_in_the_guides_order(key: str, actions: list[Any]) -> None:
    assert [(action.title.ko, action.does) for action in scenario(key).actions] == actions


def test_the_first_scenario_is_automatic_first_and_by_hand_within_thirty_seconds() -> None:
    detect, roll_back, status = scenario("error_rate").actions

    assert (detect.automatic, roll_back.automatic, status.automatic) == (True, False, False)
    assert both(detect.stage) == ("Step 1: automatic detection", "1단계: 자동 감지")
    assert korean(detect.details) == [
        "모니터링 시스템이 에러율 > 1% 감지",
        "3회 연속 감지 시 자동 롤백 트리거",
        "Slack에 자동 알림",
    ]
    assert "자동 롤백 실패" in both(roll_back.stage)[1]
    assert (roll_back.within_seconds, both(roll_back.note)[1]) == (30, "즉시 실행")


@pytest.mark.parametrize(
    ("key", "action", "filter", "limit"),
    [
        (
            "response_time",
            "slow_requests",
            "resource.type=cloud_run_revision AND jsonPayload.latency_ms > 500",
            10,
        ),
        (
            "service_down",
            "logs",
            "resource.type=cloud_run_revision AND resource.labels.service_name={canary}",
            50,
        ),
    ],
)
def test_logs_are_asked_with_the_guides_filters(key: str, action: str, filter: str, limit: int) -> None:
    (found,) = [a for a in scenario(key).actions if a.key == action]

    assert (found.filter, found.limit) == (filter, limit)


def test_where_it_is_slow_is_looked_for_in_three_places() -> None:
    find, probe = scenario("response_time").actions[2:]

    assert korean(find.details) == [
        "API 엔드포인트별 응답 시간 확인",
        "DB 쿼리 성능 확인",
        "외부 API 호출 시간 확인",
    ]
    assert (probe.number, both(probe.note)[1]) == ("3-1", "특정 기능이 문제라면")
    assert (probe.requests, probe.pause_ms) == (20, 100)


def test_a_memory_profile_comes_from_cloud_profiler() -> None:
    dump = scenario("memory").actions[2]

    assert korean(dump.details) == ["GCP Cloud Profiler에서 메모리 프로파일 다운로드"]
    assert (both(dump.note)[1], dump.link) == ("사후 분석용", "profiler")
    assert both(scenario("memory").actions[0].note)[1] == "메모리 폭발은 서비스 중단 위험"


def test_where_the_canary_is_down_legacy_is_asked() -> None:
    assert korean(scenario("service_down").actions[3].details) == [
        "트래픽이 legacy로 자동 리다이렉트되는가?",
        "legacy의 /health 요청",
    ]


def test_the_options_are_the_guides_table_and_a_is_recommended() -> None:
    assert [
        (o.title.ko, o.minutes, o.or_more, o.risk, o.result.ko, o.does, o.recommended)
        for o in scenario("response_time").options
    ] == [
        ("롤백", 2, False, Risk.LOW, "즉시 정상화", Does.ROLL_BACK, True),
        ("트래픽 줄임", 1, False, Risk.LOW, "부분 개선", Does.REDUCE_TRAFFIC, False),
        ("리소스 증설", 5, False, Risk.MEDIUM, "개선될 수 있음", Does.ADD_RESOURCES, False),
        ("디버그 후 핫픽스", 30, True, Risk.HIGH, "위험함", Does.BY_HAND, False),
    ]
    assert [s.key for s in guide().scenarios if s.options] == ["response_time"]


def test_data_loss_runs_on_the_guides_clock() -> None:
    assert [
        (step.at_minutes, step.title.ko, step.does, step.notice, korean(s.title for s in step.steps))
        for step in scenario("data_loss").clock
    ] == [
        (0, "즉시 롤백 (Force)", Does.ROLL_BACK_FORCE, None, []),
        (
            1,
            "데이터 복구 시작",
            Does.BY_HAND,
            None,
            ["최근 백업에서 영향받은 데이터 복구", "트랜잭션 로그 검토"],
        ),
        (
            2,
            "사용자 공지",
            Does.TELL,
            "data_loss",
            ["데이터 손실 사건 공식 발표", "복구 예정 시간 안내", "보상 계획 수립"],
        ),
        (4, "완전 복구 확인", Does.BY_HAND, None, ["데이터 무결성 검증", "영향받은 사용자 개별 확인"]),
    ]
    assert [s.key for s in guide().scenarios if s.clock] == ["data_loss"]


def test_data_loss_cannot_be_closed_before_integrity_is_confirmed() -> None:
    needed = {step.key: step.needed_to_close for step in scenario("data_loss").clock}

    assert needed == {"roll_back": False, "restore": False, "tell_users": False, "confirm": True}


def test_only_data_loss_asks_before_it_rolls_back() -> None:
    question = scenario("data_loss").before_rollback
    assert question is not None

    assert [(a.key, a.holds_back) for a in question.answers] == [
        ("no", False),
        ("yes", True),
        ("not_known", True),
    ]
    assert [s.key for s in guide().scenarios if s.before_rollback] == ["data_loss"]


@pytest.mark.parametrize(
    ("key", "first", "last", "note"),
    [
        ("error_rate", 2, 3, None),
        ("response_time", 2, 3, None),
        ("memory", 2, 5, None),
        ("data_loss", 120, 240, "데이터 백업 크기에 따라"),
        ("service_down", 1, 2, "자동 복구 가능"),
    ],
)
def test_recovery_is_expected_as_in_the_guide(key: str, first: float, last: float, note: str | None) -> None:
    span = scenario(key).recovery

    assert (span.from_minutes, span.to_minutes) == (first, last)
    assert (span.note.ko if span.note else None) == note


@pytest.mark.parametrize(
    ("key", "follow_ups"),
    [
        (
            "error_rate",
            [
                "에러 로그 분석 (Cloud Logging)",
                "배포 전 코드 리뷰 재검토",
                "새 테스트 케이스 추가",
                "다음 배포 일정 연기",
            ],
        ),
        (
            "response_time",
            [
                "성능 테스트 보충 (새 기능별 최악의 경우)",
                "DB 쿼리 최적화",
                "외부 API 타임아웃 설정 검토",
                "메모리 누수 가능성 확인",
            ],
        ),
        (
            "memory",
            [
                "메모리 프로파일 분석",
                "세션 저장소 검토 (Redis 용량)",
                "메모리 누수 테스트 추가",
                "부하 테스트 기간 연장 (최소 24시간)",
            ],
        ),
        ("data_loss", []),
        ("service_down", []),
    ],
)
def test_the_follow_ups_are_the_guides(key: str, follow_ups: list[str]) -> None:
    assert korean(plan.title for plan in scenario(key).follow_ups) == follow_ups


def test_only_postponing_the_next_deployment_postpones_it() -> None:
    plans = [plan for s in guide().scenarios for plan in s.follow_ups]

    assert [plan.title.en for plan in plans if plan.postpones_deployment] == ["Postpone the next deployment"]


# The checklist.


def test_the_checklist_has_the_guides_phases_and_minutes() -> None:
    assert [(p.name.ko, p.from_minutes, p.to_minutes) for p in guide().checklist] == [
        ("즉시", 0, 1),
        ("확인", 1, 2),
        ("검증", 2, 5),
        ("기록", 5, 10),
    ]


STEPS = [
    ("롤백 결정 (자동 또는 수동)", Sees.ROLLBACK_DECIDED, None),
    ("팀에 Slack 긴급 알림", Sees.TEAM_ALERTED, None),
    ("롤백 실행", Sees.ROLLBACK_EXECUTED, None),
    ("트래픽 100% legacy로 복구 확인", Sees.TRAFFIC_STABLE, "console"),
    ("에러율 정상화 확인 (< 0.5%)", Sees.ERROR_RATE, None),
    ("응답 시간 정상화 확인 (P95 < 200ms)", Sees.P95, None),
    ('사용자 보고 (Slack) "서비스 정상입니다"', None, None),
    ("Cloud Logging에서 에러 대폭 감소 확인", Sees.LOG_ERRORS_DROPPED, "logs"),
    ("Grafana 대시보드에서 모든 지표 녹색 확인", Sees.ALL_GREEN, "grafana"),
    ("롤백 사건 기록 (타임스탬프, 이유, 조치)", Sees.RECORDED, None),
    ("팀 회의 일정 예약 (Post-Mortem)", Sees.POST_MORTEM, None),
    ("원인 분석 시작", None, None),
]


def test_the_checklist_has_the_guides_twelve_steps_in_order() -> None:
    assert [(step.title.ko, step.sees, step.link) for step in guide().steps()] == STEPS
    assert [len(phase.steps) for phase in guide().checklist] == [3, 3, 3, 3]


def test_the_checklists_numbers_are_those_of_the_proof() -> None:
    titles = " ".join(step.title.en for step in guide().steps())
    proof = guide().verification

    assert f"< {proof.error_rate_below_percent:g} %" in titles
    assert f"P95 < {proof.p95_below_ms:g} ms" in titles


# Cause analysis.


def test_evidence_is_kept_under_the_guides_names() -> None:
    assert [(e.title.ko, e.filter, e.limit, e.file) for e in guide().analysis.evidence] == [
        (
            "Cloud Logging에서 에러 로그 추출",
            "resource.type=cloud_run_revision AND severity=ERROR",
            100,
            "error_logs_<yyyyMMdd_HHmmss>.txt",
        ),
        ("메트릭 스냅샷 저장", None, None, "metrics_snapshot_<yyyyMMdd_HHmmss>.json"),
        ("배포 설정 저장", None, None, "canary_config_<yyyyMMdd_HHmmss>.json"),
    ]


def test_the_code_review_asks_the_guides_questions() -> None:
    assert [(part.title.ko, korean(part.points)) for part in guide().analysis.review] == [
        (
            "배포된 코드에서 문제 찾기",
            ["새 기능: 추천 엔진", "새 기능: 멀티턴 대화", "새 기능: 세션 관리", "변경: API 엔드포인트 구조"],
        ),
        (
            "테스트 커버리지 분석",
            [
                "해당 기능의 테스트가 있었나?",
                "테스트를 통과했는데 왜 실패했나?",
                "프로덕션 환경에서만 발생하는 문제인가?",
            ],
        ),
        ("인프라 설정 검토", ["환경 변수 설정", "리소스 할당", "네트워크 정책"]),
    ]


def test_the_post_mortem_has_a_guide_of_its_own() -> None:
    assert "PHASE4_배포_실패_Post-Mortem_가이드" in both(guide().analysis.post_mortem)[1]


# Numbers and rules.


@pytest.mark.parametrize(
    ("name", "yellow", "red", "asks_yellow", "asks_red"),
    [
        ("error_rate_percent", 0.5, 1.0, "원인 파악", "롤백 고려"),
        ("p95_ms", 200, 500, "원인 파악", "롤백 고려"),
        ("memory_percent", 70, 85, "트렌드 감시", "롤백 고려"),
        ("cpu_percent", 70, 90, "트렌드 감시", "롤백 고려"),
    ],
)
def test_the_flags_have_the_guides_limits_and_words(
    name: str, yellow: float, red: float, asks_yellow: str, asks_red: str
) -> None:
    limits = getattr(guide().thresholds, name)

    assert (limits.yellow_above, limits.red_above) == (yellow, red)
    assert (limits.yellow.ko, limits.red.ko) == (asks_yellow, asks_red)


def test_the_metrics_are_looked_at_every_five_minutes() -> None:
    thresholds = guide().thresholds

    assert thresholds.check_every_minutes == 5
    assert both(thresholds.service_down) == ("Roll back at once", "즉시 롤백")
    assert both(thresholds.also_green) == ("User feedback is positive", "사용자 피드백 긍정적")


def test_the_rules_are_the_guides_table() -> None:
    assert [(r.when, r.situation.ko, r.verdict.ko, r.action.ko, r.readings) for r in guide().rules] == [
        (Situation.ERROR_RATE_ONCE, "에러율 > 1% (1회)", "주의", "모니터링 강화", 1),
        (Situation.ERROR_RATE_IN_A_ROW, "에러율 > 1% (3회 연속)", "위험", "롤백 권고", 3),
        (Situation.DATA_LOSS, "데이터 손실", "위기", "즉시 롤백 + 복구", 1),
        (Situation.MEMORY_EXPLOSION, "메모리 폭발", "위기", "즉시 롤백", 1),
        (Situation.SERVICE_DOWN, "서비스 다운", "위기", "즉시 롤백", 1),
    ]


def test_only_three_in_a_row_roll_back_by_themselves_as_in_scenario_one() -> None:
    assert {rule.when: rule.mode for rule in guide().rules} == {
        Situation.ERROR_RATE_ONCE: Mode.TELL,
        Situation.ERROR_RATE_IN_A_ROW: Mode.AUTO,
        Situation.DATA_LOSS: Mode.RECOMMEND,
        Situation.MEMORY_EXPLOSION: Mode.RECOMMEND,
        Situation.SERVICE_DOWN: Mode.RECOMMEND,
    }
    assert {rule.stop_seconds for rule in guide().rules} == {10}


def test_what_is_written_of_the_watch_is_what_holds_without_it() -> None:
    assert guide().watch == WatchPlan()
    assert guide().watch.early_warning.mode is Mode.RECOMMEND


# People.


def test_the_contacts_are_the_guides_five() -> None:
    assert [(c.role.ko, c.name, c.channel, c.within_minutes) for c in guide().contacts.values()] == [
        ("배포 리더", "Sena", "#operations", 1),
        ("백엔드 엔지니어", "Gitco", "#backend", 2),
        ("DevOps 엔지니어", "Lubit", "#devops", 2),
        ("모니터링 담당", "Lemun", "#monitoring", 3),
        ("매니저", "", None, 5),
    ]
    assert both(guide().contacts["manager"].note) == ("By telephone", "전화")
    assert "docs/GITCO_ORCHESTRATION_HANDOFF.md" in both(guide().contacts["backend"].note)[1]
    assert guide().channels.incidents == "#critical-incidents"


@pytest.mark.parametrize("key", list(guide().contacts))
def test_every_escalation_ends_at_the_manager(key: str) -> None:
    contacts, here = guide().contacts, key

    while (after := contacts[here].then) is not None:
        here = after

    assert here == "manager"


def test_the_notices_go_where_they_should() -> None:
    incidents, users = ("#critical-incidents",), ("#critical-incidents", "#status")
    assert {
        key: (plan.template, plan.channels, plan.needs_approval, plan.next_update_minutes)
        for key, plan in guide().notices.items()
    } == {
        "incident_opened": ("incident_opened.md", incidents, False, 30),
        "rolled_back": ("rolled_back.md", incidents, False, 30),
        "data_loss": ("data_loss.md", users, True, 60),
        "resolved": ("resolved.md", users, False, None),
        "post_mortem": ("post_mortem_invitation.md", incidents, False, None),
    }


def test_nobody_may_act_before_people_are_named() -> None:
    (role,) = guide().roles.values()

    assert (role.users, role.groups, set(role.may)) == ((), (), set(Permission))


# Readiness and pages.


def test_readiness_is_the_guides_ten_points() -> None:
    assert [(point.title.ko, point.check) for point in guide().readiness] == [
        ("롤백 명령(기존 rollback_phase4_canary.ps1) 존재 및 테스트됨", Check.ROLLBACK_WORKS),
        ("롤백 명령어 팀이 알고 있음", None),
        ("백업 데이터 존재 및 접근 가능", Check.BACKUPS),
        ("GCP 권한 (롤백 권한) 확인", Check.PERMISSIONS),
        ("Cloud Logging 접근 권한 확인", Check.LOGS),
        ("긴급 연락처 최신 상태", Check.CONTACTS),
        ("Post-Mortem 회의실 예약 가능", None),
        ("커뮤니케이션 템플릿 준비", Check.TEMPLATES),
        ("사용자 알림 템플릿 준비", Check.NOTICES),
        ("팀이 이 가이드를 읽음", Check.GUIDE_READ),
    ]


def test_the_pages_of_the_guide_can_be_opened() -> None:
    assert set(guide().links) == {"grafana", "logs", "console", "profiler"}


def test_the_target_is_the_guides() -> None:
    target = guide().targets["canary"]

    assert (target.service, target.canary_service, target.region) == (
        "ion-api",
        "ion-api-canary",
        "us-central1",
    )
