// The cloud panel's controls: what makes a canary fail, the stages of its deployment, trouble on the way.
// They are drawn once and then brought up to date in place, so that none loses the focus while it is used.

import { el } from "./dom.js";

/** The guide's five failures in its order, and a narrower kind of the second. */
const FAULTS = ["errors", "slow", "leak", "lost", "down", "slow_one"];

/**
 * Return a group of switches, one for each of `names`.
 * `kind`: "fault" or "trouble"; `title` is seen, `legend` read out; `scope` tells these from other groups;
 * `onSwitch(name, on)`.
 */
function switches(kind, names, { words, title, legend = title, scope, data = {}, onSwitch }) {
  const row = (name) => {
    const described = `${kind}-${scope}-${name}`;
    const box = el("input", {
      type: "checkbox",
      role: "switch",
      [`data-${kind}`]: name,
      ...data,
      "aria-describedby": described,
      onchange: (event) => onSwitch(name, event.target.checked),
    });
    return el(
      "div",
      { class: "switch" },
      el("label", {}, box, el("span", {}, words[`${kind}_${name}`])),
      el("p", { id: described }, words[`${kind}_${name}_is`]),
    );
  };
  return el(
    "fieldset",
    { class: "switches", "aria-label": legend },
    el("p", { class: "group-title", "aria-hidden": "true" }, title),
    names.map(row),
  );
}

/** Return the switches of a service's failures. `act(path, body)` posts. */
export function faultSwitches(service, words, act) {
  return switches("fault", FAULTS, {
    words,
    title: words.faults,
    legend: `${words.faults}: ${service.name}`,
    scope: service.name,
    data: { "data-service": service.name },
    onSwitch: (fault, on) => act("fault", { service: service.name, fault, on }),
  });
}

/** Return the switches of what can go wrong around a rollback; `troubles`: those that there are. */
export function troubleSwitches(troubles, words, act) {
  return switches("trouble", troubles, {
    words,
    title: words.troubles,
    scope: "cloud",
    onSwitch: (trouble, on) => act("trouble", { trouble, on }),
  });
}

/** Show which switches are on: `kind` and {name: boolean}. */
export function showSwitches(root, kind, on) {
  for (const box of root.querySelectorAll(`[data-${kind}]`)) box.checked = Boolean(on[box.dataset[kind]]);
}

/** Return what people do about lost conversations. */
export function lossControls(service, words, act) {
  const button = (id, text, path, body) => {
    const onclick = () => act(path, body());
    return el("button", { type: "button", class: "small-button", "data-loss": id, onclick }, text);
  };
  const locale = () => ({ service: service.name, locale: document.documentElement.lang });
  return el(
    "div",
    { class: "losses" },
    el("p", { class: "losses-count" }),
    button("report", words.report, "report", locale),
    button("restore", words.restore, "restore", () => ({ service: service.name })),
  );
}

export function showLosses(root, service, words, canReport) {
  const place = root.querySelector(".losses");
  if (!place) return;
  const lost = service.lost_conversations ?? 0;
  place.hidden = lost === 0 && !service.faults.lost;
  place.querySelector(".losses-count").textContent = words.losses(lost);
  place.querySelector("[data-loss=report]").hidden = !canReport;
  place.querySelector("[data-loss=restore]").disabled = lost === 0;
}

/** Return the stages of the canary's deployment. */
export function stageButtons(service, words, act) {
  const body = { service: service.name };
  const deploy = () => act("deploy", body);
  const buttons = service.stage.stages.map((percent) =>
    el(
      "button",
      {
        type: "button",
        class: "small-button stage",
        "data-stage": percent,
        onclick: () => act("stage", { ...body, percent }),
      },
      `${percent} %`,
    ),
  );
  return el(
    "fieldset",
    { class: "stages", "aria-label": `${words.stages}: ${service.name}` },
    el("p", { class: "group-title" }, `${words.stages}: `, el("span", { class: "stage-now" })),
    buttons,
    el(
      "button",
      { type: "button", class: "small-button", "data-deploy": service.name, onclick: deploy },
      words.deploy,
    ),
  );
}

/** Mark the stage in force, and say which one is on its way. */
export function showStage(root, { stage }, words) {
  if (!stage) return;
  for (const button of root.querySelectorAll("[data-stage]")) {
    const percent = Number(button.dataset.stage);
    button.setAttribute("aria-pressed", String(percent === stage.percent));
    button.classList.toggle("coming", percent === stage.wanted && percent !== stage.percent);
  }
  const { percent, wanted } = stage;
  root.querySelector(".stage-now").textContent =
    percent === wanted ? words.stage_now(percent) : words.stage_coming(percent, wanted);
}
