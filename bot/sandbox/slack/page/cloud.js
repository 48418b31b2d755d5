// The cloud panel: where traffic goes, what it costs the users, and switches that make the canary fail.

import { el, reconcile } from "./dom.js";
import { fetchCloud, post } from "./server.js";

const POLL_MILLISECONDS = 1000;

const FAULTS = ["errors", "slow", "slow_one", "leak", "down"];

/** Above these a number is drawn as caution or danger. Source: the deployment guide's metrics table. */
const LIMITS = { error_percent: { caution: 0.5, danger: 1 }, p95_ms: { caution: 200, danger: 500 } };

export class Cloud {
  constructor(section, page) {
    this.page = page;
    this.services = [];
    this.title = el("h2");
    this.explanation = el("p", { class: "cloud-explains" });
    this.status = el("p", { class: "cloud-status", role: "status" });
    this.list = el("div", { class: "services" });
    section.replaceChildren(
      el("header", { class: "pane-head" }, this.title),
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
      this.services = (await fetchCloud()).services;
      this.status.textContent = "";
    } catch {
      this.status.textContent = this.page.words.cloud_unreachable;
    }
    this.draw();
  }

  draw() {
    const { words } = this.page;
    this.title.textContent = words.cloud;
    this.explanation.textContent = words.cloud_explains;
    // The card stays while its numbers change, so that a switch keeps its focus.
    const cards = this.services.map((service) => ({
      key: service.name,
      signature: JSON.stringify([service.topology, service.role, service.can_fail, words.cloud]),
      draw: () => this.card(service),
    }));
    reconcile(this.list, cards);
    this.services.forEach((service, index) => this.update(this.list.children[index], service));
  }

  card(service) {
    const { words } = this.page;
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
      service.can_fail && this.faults(service),
    );
  }

  faults(service) {
    const { words } = this.page;
    const legend = `${words.faults}: ${service.name}`;
    return el(
      "fieldset",
      { class: "faults", "aria-label": legend },
      el("span", { class: "faults-title", "aria-hidden": "true" }, words.faults),
      FAULTS.map((fault) => this.faultSwitch(service, fault)),
    );
  }

  faultSwitch(service, fault) {
    const onchange = async (event) => {
      await post("cloud/fault", { service: service.name, fault, on: event.target.checked });
      await this.poll();
    };
    const box = el("input", {
      type: "checkbox",
      role: "switch",
      "data-fault": fault,
      "data-service": service.name,
      onchange,
    });
    return el("label", { class: "fault" }, box, el("span", {}, this.page.words[`fault_${fault}`]));
  }

  update(card, service) {
    for (const box of card.querySelectorAll("[data-fault]"))
      box.checked = Boolean(service.faults[box.dataset.fault]);
    const isFailing = FAULTS.some((fault) => service.faults[fault]);
    card.classList.toggle("failing", isFailing);
    card.querySelector(".service-numbers").replaceChildren(...this.numbers(service));
  }

  numbers(service) {
    const { words } = this.page;
    const colours = coloursOf(service);
    const parts = [bar(service.traffic, words.traffic, "traffic", colours)];
    if (service.reconciling) {
      const wanted = bar(service.wanted, words.reconciling, "wanted", colours);
      parts.push(el("p", { class: "reconciling" }, `${words.reconciling} `, wanted));
    }
    parts.push(
      service.revisions.length ? this.revisionTable(service, colours) : legend(service.traffic, colours),
    );
    return parts;
  }

  revisionTable(service, colours) {
    const { words } = this.page;
    const heads = [words.revision, words.requests_per_second, words.errors_percent, words.p95_ms];
    return el(
      "table",
      { class: "revisions" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          heads.map((head) => el("th", { scope: "col" }, head)),
        ),
      ),
      el(
        "tbody",
        {},
        service.revisions.map((revision) => this.revisionRow(revision, colours)),
      ),
    );
  }

  revisionRow(revision, colours) {
    return el(
      "tr",
      { "data-revision": revision.name },
      el("th", { scope: "row" }, swatch(colours.get(revision.name)), revision.name),
      el("td", {}, this.number(revision.requests_per_second, 1)),
      this.judged(revision, "error_percent", 1),
      this.judged(revision, "p95_ms", 0),
    );
  }

  /** Colour never stands alone: a mark says the same. */
  judged(revision, name, digits) {
    const value = revision[name];
    const { caution, danger } = LIMITS[name];
    const level = value > danger ? "danger" : value > caution ? "caution" : "normal";
    const mark = { danger: "▲ ", caution: "△ ", normal: "" }[level];
    return el("td", { class: `level-${level}` }, mark, this.number(value, digits));
  }

  number(value, digits) {
    if (value === null || value === undefined) return "–";
    const style = { maximumFractionDigits: digits, minimumFractionDigits: digits };
    return new Intl.NumberFormat(this.page.me?.locale, style).format(value);
  }
}

/** Return the colour class of each name, the same in every bar and table of a service. */
function coloursOf({ traffic, wanted, revisions }) {
  const names = new Set([...revisions, ...traffic, ...wanted].map(({ name }) => name));
  return new Map([...names].map((name, index) => [name, `share-${index % 4}`]));
}

/** Return a bar with one part for each of `shares` ({name, percent}); its label reads them out. */
function bar(shares, label, kind, colours) {
  const parts = shares.map(({ name, percent }) => {
    const text = `${name} ${percent} %`;
    const part = el(
      "span",
      { class: `share ${colours.get(name)}`, title: text },
      percent >= 10 ? `${percent} %` : "",
    );
    part.style.flexGrow = String(percent);
    part.hidden = percent === 0;
    return part;
  });
  const spoken = shares.map(({ name, percent }) => `${name} ${percent} %`).join(", ");
  return el("span", { class: `bar bar-${kind}`, role: "img", "aria-label": `${label}: ${spoken}` }, parts);
}

function legend(shares, colours) {
  const entries = shares.map(({ name, percent }) =>
    el("span", {}, swatch(colours.get(name)), `${name} ${percent} %`),
  );
  return el("p", { class: "legend" }, entries);
}

function swatch(colour) {
  return el("span", { class: `swatch ${colour}`, "aria-hidden": "true" });
}
