// The drill panel: begin one of the five, its story's clock, and the scoreboard at its end.

import { el, reconcile } from "./dom.js";
import { fetchDrill, post } from "./server.js";

const POLL_MILLISECONDS = 1000;

/** Where there is nothing to show, for now or for good. */
const ABSENT_PHASES = new Set(["unknown", "starting", "closed"]);

export class Drill {
  constructor(section, page) {
    this.section = section;
    this.page = page;
    /** What the server said last; "unknown" until it has said anything. */
    this.shown = { phase: "unknown", scenarios: [], scores: [] };
    /** The error with which it refused the last thing asked of it, until the phase changes. */
    this.refused = null;
    this.chosen = null;
    this.title = el("h2");
    this.status = el("p", { class: "drill-status", role: "status" });
    this.body = el("div", { class: "drill-body" });
    // A timer is read out on demand, not every second.
    this.mark = el("p", { class: "drill-mark", role: "timer", hidden: true, "data-testid": "drill-mark" });
    section.hidden = true;
    section.replaceChildren(el("header", { class: "pane-head" }, this.title), this.status, this.body);
    document.querySelector(".topbar .practice").after(this.mark);
  }

  /** Poll until the page goes away, or was told that there are no drills; a hidden page asks nothing. */
  start() {
    const again = async () => {
      if (!document.hidden) await this.poll();
      if (this.shown.phase !== "closed") setTimeout(again, POLL_MILLISECONDS);
    };
    again();
  }

  async poll() {
    try {
      const { phase } = this.shown;
      this.shown = await fetchDrill();
      if (this.shown.phase !== phase) this.refused = null;
      this.problem = "";
      const seconds = this.shown.drill?.seconds;
      this.began = seconds === undefined ? null : performance.now() - seconds * 1000;
    } catch {
      this.problem = "drill_unreachable";
    }
    this.draw();
  }

  draw() {
    const { words, state } = this.page;
    if (!state) return;
    this.section.hidden = ABSENT_PHASES.has(this.shown.phase);
    this.section.setAttribute("aria-label", words.drill);
    this.title.textContent = words.drill;
    this.status.textContent = this.said();
    const hadFocus = this.body.contains(document.activeElement);
    const { drill, ...rest } = this.shown;
    const signature = JSON.stringify([rest, drill?.reached, words.drill]);
    reconcile(this.body, [{ key: this.shown.phase, signature, draw: () => this.phase() }]);
    if (hadFocus && !this.body.contains(document.activeElement)) this.body.querySelector("button")?.focus();
    this.drawClock();
  }

  /** Return what there is to say besides the panel's parts. */
  said() {
    const { words } = this.page;
    const { phase, problem } = this.shown;
    if (this.problem) return words[this.problem];
    if (this.refused) return words.action_failed(this.refused);
    if (problem) return words.drill_failed + this.inMyWords(problem);
    return { preparing: words.drill_preparing, ending: words.drill_scoring }[phase] ?? "";
  }

  phase() {
    const { phase } = this.shown;
    if (phase === "running") return this.running();
    if (phase === "ended") return el("div", {}, this.scoreboard(), this.choice());
    if (phase === "idle") return el("div", {}, this.choice());
    return el("div", {}, this.name());
  }

  choice() {
    const { words } = this.page;
    const scenarios = this.shown.scenarios.map(({ key, number, name }) =>
      el("option", { value: key, selected: key === this.chosen }, `${number}. ${this.inMyWords(name)}`),
    );
    const choose = el(
      "select",
      { id: "drill-scenario", onchange: (event) => (this.chosen = event.target.value) },
      scenarios,
    );
    const begin = () => this.act({ begin: choose.value });
    return el(
      "div",
      { class: "drill-choice" },
      el("p", { class: "drill-explains" }, words.drill_explains),
      el("label", { for: "drill-scenario" }, words.drill_scenario),
      choose,
      el("button", { type: "button", class: "drill-button", onclick: begin }, words.drill_begin),
    );
  }

  running() {
    const { words } = this.page;
    return el(
      "div",
      {},
      this.name(),
      el("p", { class: "drill-clock" }, `${words.drill_since} `, el("strong", { "data-drill-clock": true })),
      el("p", { class: "drill-next", "data-drill-next": true }),
      el(
        "ul",
        { class: "drill-reached" },
        this.shown.drill.reached.map(({ milestone, at }) =>
          el("li", { "data-reached": milestone }, `✓ ${words.drill_milestones[milestone]} ${clock(at)}`),
        ),
      ),
      el(
        "button",
        { type: "button", class: "drill-button drill-stop", onclick: () => this.act({ stop: true }) },
        words.drill_stop,
      ),
    );
  }

  /** Return which scenario it is, with the mark that nothing of it is real. */
  name() {
    const { words } = this.page;
    const scenario = this.shown.scenarios.find(({ key }) => key === this.shown.scenario);
    return el(
      "p",
      { class: "drill-name" },
      el("span", { class: "drill-badge" }, words.drill_mark),
      scenario && ` ${scenario.number}. ${this.inMyWords(scenario.name)}`,
    );
  }

  scoreboard() {
    const { words } = this.page;
    const heads = [words.drill_milestone, words.drill_after, words.drill_due, words.drill_last];
    return el(
      "div",
      {},
      this.name(),
      el(
        "table",
        { class: "drill-scores", "data-testid": "drill-scores" },
        el("caption", {}, words.drill_scoreboard),
        el("thead", {}, el("tr", {}, [...heads, ""].map(head))),
        el(
          "tbody",
          {},
          this.shown.scores.map((score) => this.score(score)),
        ),
      ),
    );
  }

  score({ milestone, result, reached, by, last }) {
    const { words } = this.page;
    const cells = [reached, by, last].map((seconds) => (seconds === null ? "–" : clock(seconds)));
    return el(
      "tr",
      { "data-milestone": milestone, class: `drill-${result}` },
      el("th", { scope: "row" }, words.drill_milestones[milestone]),
      [...cells, words.drill_results[result]].map((cell) => el("td", {}, cell)),
    );
  }

  /** Draw what changes every second, and nothing else. */
  drawClock() {
    const { words } = this.page;
    const { phase, drill } = this.shown;
    const isUnderWay = ["preparing", "running", "ending"].includes(phase);
    document.body.classList.toggle("drilling", isUnderWay);
    this.mark.hidden = !isUnderWay;
    const seconds = drill ? (performance.now() - this.began) / 1000 : null;
    const time = drill ? clock(seconds) : "";
    this.mark.textContent = `${words.drill_mark} ${time}`.trim();
    const face = this.body.querySelector("[data-drill-clock]");
    if (!face || !drill) return;
    face.textContent = time;
    const next = this.body.querySelector("[data-drill-next]");
    next.textContent = this.next(drill.next, seconds);
    next.classList.toggle("drill-is-late", Boolean(drill.next?.by) && seconds > drill.next.by);
  }

  next(next, seconds) {
    const { words } = this.page;
    if (!next) return words.drill_over;
    const milestone = words.drill_milestones[next.milestone];
    if (next.by === null) return words.drill_next_open(milestone);
    const say = seconds > next.by ? words.drill_late_since : words.drill_next;
    return say(milestone, clock(next.by));
  }

  async act(body) {
    const { ok, error } = await post("drill", body);
    await this.poll();
    this.refused = ok ? null : error;
    this.draw();
  }

  inMyWords(name) {
    return this.page.me?.locale.startsWith("ko") ? name.ko : name.en;
  }
}

function head(text) {
  return text ? el("th", { scope: "col" }, text) : el("td");
}

/** Return seconds as mm:ss, however many minutes. */
function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
}
