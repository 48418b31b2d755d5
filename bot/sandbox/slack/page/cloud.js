// The cloud panel: where traffic goes, what it costs the users, the deployment's stages, what can go wrong.

import { figures } from "./cloud-figures.js";
import {
  faultSwitches,
  lossControls,
  showLosses,
  showStage,
  showSwitches,
  stageButtons,
  troubleSwitches,
} from "./cloud-switches.js";
import { el, reconcile } from "./dom.js";
import { fetchCloud, post } from "./server.js";

const POLL_MILLISECONDS = 1000;

export class Cloud {
  constructor(section, page) {
    this.page = page;
    this.cloud = { services: [] };
    this.title = el("h2");
    this.normal = el("button", { type: "button", class: "small-button", id: "cloud-normal", hidden: true });
    this.normal.addEventListener("click", () => this.calm());
    this.explanation = el("p", { class: "cloud-explains" });
    this.status = el("p", { class: "cloud-status", role: "status" });
    this.list = el("div", { class: "services" });
    section.replaceChildren(
      el("header", { class: "pane-head" }, this.title, this.normal),
      this.explanation,
      this.status,
      this.list,
    );
  }

  /** Poll until the page goes away; a hidden page asks nothing. */
  start() {
    const again = async () => {
      if (!document.hidden) await this.poll();
      setTimeout(again, POLL_MILLISECONDS);
    };
    again();
  }

  async poll() {
    try {
      this.cloud = await fetchCloud();
      if (this.isAway) this.say("");
      this.isAway = false;
    } catch {
      this.isAway = true;
      this.say(this.page.words.cloud_unreachable);
    }
    this.draw();
  }

  say(text) {
    this.status.textContent = text;
  }

  /** Post to the cloud, say what it refused and why, and show at once what has changed. */
  async act(path, body) {
    const answer = await post(`cloud/${path}`, body);
    this.say(answer.error ? this.page.words.cloud_refused(answer.error) : "");
    await this.poll();
    return !answer.error;
  }

  async calm() {
    if (await this.act("normal", {})) this.say(this.page.words.cloud_calm);
  }

  draw() {
    const { words, me } = this.page;
    if (!me) return;
    const { services, troubles } = this.cloud;
    this.title.textContent = words.cloud;
    this.normal.textContent = words.cloud_normal;
    this.normal.hidden = services.length === 0;
    this.explanation.textContent = words.cloud_explains;
    // A card stays while its figures change, so that a switch keeps its focus.
    const cards = services.map((service) => ({
      key: service.name,
      signature: JSON.stringify([service.role, service.can_fail, Boolean(service.stage), words.cloud]),
      draw: () => this.card(service),
    }));
    const names = Object.keys(troubles ?? {});
    if (names.length) cards.push(this.troubleCard(names));
    reconcile(this.list, cards);
    services.forEach((service, index) => this.update(this.list.children[index], service));
    showSwitches(this.list, "trouble", troubles ?? {});
  }

  card(service) {
    const { words } = this.page;
    const act = (path, body) => this.act(path, body);
    return el(
      "article",
      { class: "service", "data-service-card": service.name, "aria-label": service.name },
      el(
        "h3",
        { class: "service-name" },
        service.name,
        el("span", { class: "service-role" }, words[`role_${service.role}`] ?? service.role),
      ),
      el("div", { class: "service-numbers" }),
      service.can_fail && [faultSwitches(service, words, act), lossControls(service, words, act)],
      service.stage && stageButtons(service, words, act),
    );
  }

  troubleCard(names) {
    const { words } = this.page;
    const draw = () =>
      el(
        "article",
        { class: "service", "data-testid": "troubles", "aria-label": words.troubles },
        troubleSwitches(names, words, (path, body) => this.act(path, body)),
      );
    return { key: "troubles", signature: JSON.stringify([names, words.cloud]), draw };
  }

  update(card, service) {
    const { words } = this.page;
    const { strip_seconds: seconds = 5, strip_pieces: places = 60 } = this.cloud;
    card.classList.toggle("failing", Object.values(service.faults).some(Boolean));
    card
      .querySelector(".service-numbers")
      .replaceChildren(...figures(service, this.page, { seconds, places }));
    showSwitches(card, "fault", service.faults);
    showLosses(card, service, words, this.cloud.can_report);
    showStage(card, service, words);
  }
}
