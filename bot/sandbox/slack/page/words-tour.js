// Every word of the tour, in both languages, with the same keys. `like this` is something to type.

export const ENGLISH = {
  tour: "Tour",
  tour_end: "End the tour",
  tour_finish: "Finish",
  tour_next: "Next",
  tour_not_allowed: "The person you act as may not roll back: choose Sena or Lubit in the bar above.",
  tour_skip: "Skip this step",
  tour_open: (name) => `First open ${name}.`,
  tour_writing: "It is being written…",
  tour_step: (number, of) => `Step ${number} of ${of}`,
  tour_steps: {
    see: {
      title: "A bad deployment, in three minutes",
      text:
        "This is a Slack workspace to practise in: channels, messages, and beside them a cloud. " +
        "In it the service ion-api has just got a new version, a canary that serves 10 % of the users. " +
        "You will break it, roll it back, and get the record.",
    },
    canary: {
      title: "Deploy a canary first",
      text:
        "No user reaches a canary now, so there is nothing to roll back. Deploy a new one here, and give " +
        "it 10 %.",
    },
    break: {
      title: "Make the canary fail",
      text: "Switch “Errors” on: from now on, 5 % of the canary’s answers are errors.",
      help: "Go to the switch",
    },
    seen: {
      title: "Wait until Backout sees it",
      text:
        "Look at the canary's errors here. Backout reads the same from the cloud's logs, and turns red in " +
        "#critical-incidents within about half a minute.",
    },
    ask: {
      title: "Roll it back",
      text: "Type `/rollback canary` in #operations and press Enter.",
      help: "Type it for me",
    },
    confirm: {
      title: "One look, one click",
      text:
        "Nothing has changed yet: Backout shows what it would do and why. Press the red button, then " +
        "confirm.",
      help: "Go to the button",
    },
    proof: {
      title: "Watch the proof",
      text:
        "Users are on the stable version within seconds. Backout calls it verified only when traffic, errors " +
        "and response time show it; that takes about a quarter of a minute.",
    },
    verdict: {
      title: "This is the verdict",
      text: "Each line says what was measured, over how many requests, and how old the number is.",
    },
    incidents: {
      title: "An incident was opened as well",
      text: "Its board, its checklist and its record are in #critical-incidents.",
      help: "Open it for me",
    },
    checklist: {
      title: "The checklist",
      text:
        "Steps that a machine can see are ticked by themselves, with evidence; the others wait for people, " +
        "and whoever is late is reminded.",
    },
    record: {
      title: "The failure record",
      text:
        "Backout has written what it knows; a person adds cause and improvements. That was the tour: now try " +
        "another failure, or start a drill against the clock.",
    },
  },
};

export const KOREAN = {
  tour: "둘러보기",
  tour_end: "둘러보기 끝내기",
  tour_finish: "마치기",
  tour_next: "다음",
  tour_not_allowed: "지금 사용자는 롤백 권한이 없습니다. 위쪽에서 Sena나 Lubit을 선택하세요.",
  tour_skip: "이 단계 건너뛰기",
  tour_open: (name) => `먼저 열기: ${name}`,
  tour_writing: "작성하는 중…",
  tour_step: (number, of) => `${of}단계 중 ${number}단계`,
  tour_steps: {
    see: {
      title: "잘못된 배포, 3분 안에",
      text:
        "연습용 Slack 워크스페이스입니다. 채널과 메시지가 있고, 옆에는 클라우드가 있습니다. ion-api 서비스에 " +
        "방금 새 버전이 배포되어 카나리가 사용자 10 %를 받고 있습니다. 카나리를 고장 내고, 롤백하고, 기록까지 받아 보세요.",
    },
    canary: {
      title: "먼저 카나리 배포",
      text: "지금은 카나리로 가는 사용자가 없어 롤백할 것이 없습니다. 여기서 새 카나리를 배포하고 10 %를 주세요.",
    },
    break: {
      title: "카나리를 고장 내기",
      text: "‘에러’ 스위치를 켜세요. 이제부터 카나리 응답의 5 %가 에러입니다.",
      help: "스위치로 이동",
    },
    seen: {
      title: "Backout이 알아챌 때까지",
      text:
        "여기서 카나리의 에러를 보세요. Backout도 같은 내용을 클라우드 로그에서 읽고, 30초쯤 안에 " +
        "#critical-incidents에 빨간색으로 표시합니다.",
    },
    ask: {
      title: "롤백하기",
      text: "#operations에 `/rollback canary`라고 입력하고 Enter를 누르세요.",
      help: "대신 입력하기",
    },
    confirm: {
      title: "확인하고 한 번 클릭",
      text: "아직 아무것도 바뀌지 않았습니다. Backout이 무엇을 왜 할지 보여 줍니다. 빨간 버튼을 누르고 확인하세요.",
      help: "버튼으로 이동",
    },
    proof: {
      title: "증명 지켜보기",
      text:
        "몇 초면 사용자는 안정 버전으로 돌아갑니다. Backout은 트래픽, 에러율, 응답 시간으로 확인된 뒤에만 " +
        "검증됨이라고 말합니다. 15초쯤 걸립니다.",
    },
    verdict: {
      title: "이것이 결과입니다",
      text: "줄마다 무엇을 쟀는지, 요청 몇 건에서 쟀는지, 얼마나 지난 값인지 나옵니다.",
    },
    incidents: {
      title: "장애도 등록되었습니다",
      text: "보드, 체크리스트, 기록은 #critical-incidents에 있습니다.",
      help: "대신 열기",
    },
    checklist: {
      title: "체크리스트",
      text:
        "기계가 확인할 수 있는 단계는 근거와 함께 저절로 완료됩니다. 나머지는 사람을 기다리고, 늦어지면 알림이 갑니다.",
    },
    record: {
      title: "장애 기록",
      text:
        "Backout이 아는 내용은 이미 적혀 있고, 원인과 개선점은 사람이 채웁니다. 둘러보기는 여기까지입니다. " +
        "다른 장애를 일으켜 보거나, 시간을 재며 훈련을 시작해 보세요.",
    },
  },
};
