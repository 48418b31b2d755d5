// The tour: the first visit, step by step on the page itself. It points at the next thing to do, and goes
// on when Slack and the cloud show that it was done.

import { el } from "./dom.js";
import { keep, recall } from "./memory.js";
import { placeBeside, ring } from "./tour-place.js";
import { STEPS } from "./tour-steps.js";

/** Remembers, in this browser, that somebody finished or ended the tour. */
const SEEN = "backout.tour";

/** Where no drill can be, or none was yet: only there a tour begins by itself. */
const CALM_PHASES = new Set(["closed", "idle"]);

/** What says nothing yet of whether there is a drill. */
const EARLY_PHASES = new Set(["unknown", "starting"]);

export class Tour {
  constructor(root, page) {
    this.page = page;
    // `#…&tour=off` keeps the page quiet, for tests and for links to a message.
    this.isOff = new URLSearchParams(location.hash.slice(1)).get("tour") === "off";
    this.opener = document.getElementById("start-tour");
    this.card = this.drawCard();
    this.ring = el("div", { class: "tour-ring", "aria-hidden": "true", hidden: true });
    root.replaceChildren(this.ring, this.card);
    // Before the page's own listener, so that Escape ends the tour and does not close the thread as well.
    document.addEventListener("keydown", (event) => this.onEscape(event));
  }

  start() {
    // A browser that keeps nothing (undefined) would show the tour at every visit.
    this.isDue = !this.isOff && recall(SEEN) === null;
    this.opener.addEventListener("click", () => this.begin());
    // The cloud redraws itself, once a second.
    const cloud = new MutationObserver(() => this.draw());
    cloud.observe(document.getElementById("cloud"), { childList: true, subtree: true });
    for (const moved of ["scroll", "resize", "click", "close"])
      addEventListener(moved, () => this.draw(), { capture: true, passive: true });
  }

  drawCard() {
    this.title = el("h2", { id: "tour-title" });
    this.text = el("p", { class: "tour-text" });
    this.hint = el("p", { class: "tour-hint" });
    this.counter = el("p", { class: "tour-counter" });
    this.close = el("button", { class: "icon-button", type: "button", "data-tour": "end" }, "✕");
    this.help = el("button", { class: "button", type: "button", "data-tour": "help" });
    this.next = el("button", { class: "button", type: "button", "data-tour": "next" });
    this.close.addEventListener("click", () => this.end());
    this.help.addEventListener("click", () => this.step.help(this));
    this.next.addEventListener("click", () => this.goOn());
    return el(
      "div",
      {
        class: "tour-card",
        role: "dialog",
        "aria-modal": "false",
        "aria-labelledby": "tour-title",
        "data-testid": "tour-card",
        tabindex: "-1",
        hidden: true,
      },
      el("div", { class: "tour-head" }, this.counter, this.close),
      el("div", { "aria-live": "polite", "aria-atomic": "true" }, this.title, this.text, this.hint),
      el("div", { class: "tour-buttons" }, this.help, this.next),
    );
  }

  get isOn() {
    return this.steps !== undefined;
  }

  get step() {
    return this.steps[this.index];
  }

  begin() {
    this.isDue = false;
    // What was said before the tour began is not what this visitor did.
    this.since = newest(this.page.state);
    this.steps = STEPS.filter((step) => !step.isNeeded || step.isNeeded(this));
    this.index = 0;
    this.drawNow();
    this.card.focus({ preventScroll: true });
  }

  end() {
    const hadFocus = this.card.contains(document.activeElement);
    keep(SEEN, "seen");
    this.steps = undefined;
    this.card.hidden = this.ring.hidden = true;
    document.body.removeAttribute("data-tour-step");
    if (hadFocus) this.opener.focus();
  }

  goOn() {
    if (this.index === this.steps.length - 1) this.end();
    else this.goTo(this.index + 1);
  }

  goTo(index) {
    this.index = index;
    this.pointedAt = undefined;
    this.drawNow();
  }

  onEscape(event) {
    const isElsewhere = event.defaultPrevented || document.querySelector("dialog[open], :popover-open");
    if (event.key !== "Escape" || !this.isOn || isElsewhere) return;
    event.preventDefault();
    this.end();
  }

  /** In the next frame: then the page has put its panes where they belong. */
  draw() {
    if ((this.isOn || this.isDue) && !this.frame)
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.drawNow();
      });
  }

  drawNow() {
    if (!this.page.state) return;
    const { phase } = this.page.drill.shown;
    if (!CALM_PHASES.has(phase) && !EARLY_PHASES.has(phase)) this.isDue = false;
    if (this.isDue && this.page.cloud.cloud.services.length && CALM_PHASES.has(phase)) return this.begin();
    if (!this.isOn) return;
    const back = this.step.returnsTo?.(this);
    if (back) return this.goTo(this.steps.findIndex(({ name }) => name === back));
    if (this.step.isDone?.(this)) return this.goTo(this.index + 1);
    document.body.dataset.tourStep = this.step.name;
    this.write();
    this.place();
  }

  write() {
    const { words } = this.page;
    const said = words.tour_steps[this.step.name];
    const isLast = this.index === this.steps.length - 1;
    setText(this.counter, words.tour_step(this.index + 1, this.steps.length));
    setText(this.title, said.title);
    setText(this.text, said.text);
    setText(this.hint, this.step.hint?.(this) ?? "");
    setText(this.help, said.help ?? "");
    this.help.hidden = !said.help;
    setText(this.next, this.step.isDone ? words.tour_skip : isLast ? words.tour_finish : words.tour_next);
    this.next.classList.toggle("primary", !this.step.isDone);
    this.help.classList.toggle("primary", Boolean(this.step.isDone));
    this.close.setAttribute("aria-label", words.tour_end);
    this.close.title = words.tour_end;
  }

  /** Ring the thing and put the card beside it. An open dialog speaks for itself and makes the rest inert. */
  place() {
    const isCovered = Boolean(document.querySelector("dialog[open]"));
    this.card.hidden = isCovered;
    const target = isCovered ? null : this.target();
    this.bringIntoView(target);
    ring(this.ring, target);
    if (!isCovered) placeBeside(this.card, target);
  }

  /** Return the node to point at: the first of the step's that can be seen, or the way to it. */
  target() {
    return this.step.targets(this).find((node) => node?.checkVisibility({ visibilityProperty: true }));
  }

  /** Once for each thing: whoever scrolls away from it wants to read something else. */
  bringIntoView(target) {
    const key = target && `${this.step.name} ${target.dataset.ts ?? target.id}`;
    if (!key || key === this.pointedAt) return;
    this.pointedAt = key;
    const block = target.offsetHeight < innerHeight / 2 ? "center" : "start";
    // After a pane that has just been filled went to its newest message.
    requestAnimationFrame(() => target.scrollIntoView({ block }));
  }
}

/** Only what changed: a live region reads out whatever is written into it. */
function setText(node, text) {
  if (node.said === text) return;
  node.said = text;
  // `like this` is something to type, as in mrkdwn.
  node.replaceChildren(...text.split("`").map((part, index) => (index % 2 ? el("code", {}, part) : part)));
}

/** Return the time of the newest message anywhere, as Slack writes it. */
function newest(state) {
  const all = Object.values(state.messages).flat();
  return Math.max(0, ...all.map(({ ts }) => Number(ts)));
}
