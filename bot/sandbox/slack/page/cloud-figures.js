// What a service's card shows: the split of its traffic, and each revision's figures with their charts.

import { chart, range } from "./charts.js";
import { el } from "./dom.js";
import { clockTime, fillDate } from "./time.js";

/**
 * What is drawn of each revision. Above `limits` a figure is caution or danger; `most` is the least value at
 * a chart's upper edge. Source of the limits: the deployment guide's metrics table.
 */
const FIGURES = [
  { name: "requests_per_second", digits: 1, most: 1, limits: null },
  { name: "error_percent", digits: 1, most: 2, limits: { caution: 0.5, danger: 1 } },
  { name: "p95_ms", digits: 0, most: 600, limits: { caution: 200, danger: 500 } },
  { name: "memory_percent", digits: 0, most: 100, limits: { caution: 70, danger: 85 } },
  { name: "cpu_percent", digits: 0, most: 100, limits: { caution: 70, danger: 90 } },
];

/** Colour never stands alone: a mark says the same. */
const MARKS = { danger: "▲ ", caution: "△ ", normal: "" };

/**
 * Return the drawn figures of `service`.
 * `page`: {words, me}; `strip`: {seconds, places}, how long a piece of a chart is and how many it has.
 */
export function figures(service, page, strip) {
  const { words } = page;
  const { traffic, wanted } = splits(service);
  const colours = coloursOf(service, traffic, wanted);
  const parts = [bar(traffic, words.traffic, "traffic", colours)];
  if (service.reconciling) {
    const asked = bar(wanted, words.reconciling, "wanted", colours);
    parts.push(el("p", { class: "reconciling" }, `${words.reconciling} `, asked));
  }
  if (service.role === "router") parts.push(legend(traffic, colours));
  if (service.changed_at) parts.push(since(service, page));
  if (service.revisions.length) parts.push(revisionTable(service, colours, page, strip));
  return parts;
}

/** Return the observed and the wanted split: of a router's users between the services behind it. */
function splits({ role, stage, traffic, wanted }) {
  if (role !== "router" || !stage) return { traffic, wanted };
  const shares = (percent) => [
    { name: stage.stable, percent: 100 - percent },
    { name: stage.canary, percent },
  ];
  return { traffic: shares(stage.percent), wanted: shares(stage.wanted) };
}

function since({ changed_at, changed_by }, { words, me }) {
  const at = Date.parse(changed_at) / 1000;
  const ago = fillDate("{ago}", at, me, words);
  return el("p", { class: "since" }, words.cloud_since(clockTime(at, me), ago, short(changed_by)));
}

function revisionTable(service, colours, page, strip) {
  const heads = FIGURES.map(({ name }) => el("th", { scope: "col" }, page.words[name]));
  return el(
    "table",
    { class: "revisions", "aria-label": `${page.words.revisions}: ${service.name}` },
    el("thead", {}, el("tr", {}, heads)),
    service.revisions.map((revision) => revisionRows(revision, colours, page, strip)),
  );
}

function revisionRows(revision, colours, page, strip) {
  const swatched = colours.has(revision.name) && swatch(colours.get(revision.name));
  const name = el("span", { class: "revision-name" }, swatched, revision.name);
  return el(
    "tbody",
    { "data-revision": revision.name },
    el(
      "tr",
      {},
      el("th", { scope: "rowgroup", colspan: FIGURES.length }, name, deployed(revision, page)),
    ),
    el(
      "tr",
      {},
      FIGURES.map((figure) => cell(revision, figure, page, strip)),
    ),
  );
}

function deployed({ image, deployed_at, deployed_by }, { words, me }) {
  if (!deployed_at) return null;
  const ago = fillDate("{ago}", Date.parse(deployed_at) / 1000, me, words);
  return el("span", { class: "deployed" }, words.cloud_deployed(image, ago, short(deployed_by)));
}

function cell(revision, figure, page, strip) {
  const value = revision[figure.name];
  const level = levelOf(value, figure.limits);
  const values = revision.strip?.[figure.name] ?? [];
  const label = spoken(value, values, figure, page, strip);
  const options = { places: strip.places, most: figure.most, limits: figure.limits, label };
  return el(
    "td",
    { class: `level-${level}` },
    MARKS[level],
    number(value, figure.digits, page),
    chart(values, options),
  );
}

function levelOf(value, limits) {
  if (!limits) return "normal";
  return value > limits.danger ? "danger" : value > limits.caution ? "caution" : "normal";
}

/** Return in words what a chart shows: the figure now, the lowest and highest, the line it is above. */
function spoken(value, values, figure, page, { seconds, places }) {
  const { words } = page;
  const name = words[figure.name];
  const told = range(values);
  if (told === null) return words.chart_empty(name);
  const show = (each) => number(each, figure.digits, page);
  const minutes = Math.round((seconds * places) / 60);
  const text = words.chart(name, minutes, show(value), show(told.low), show(told.high));
  const level = levelOf(value, figure.limits);
  return level === "normal" ? text : text + words[`chart_${level}`](figure.limits[level]);
}

function number(value, digits, { me }) {
  if (value === null || value === undefined) return "–";
  const style = { maximumFractionDigits: digits, minimumFractionDigits: digits };
  return new Intl.NumberFormat(me.locale, style).format(value);
}

/** Return who an account is: what stands before the @. */
function short(account) {
  return account.split("@")[0];
}

/** Return the colour class of each name, the same in every bar and table of a service. */
function coloursOf({ role, revisions }, traffic, wanted) {
  const split = [...traffic, ...wanted];
  // A router's users are split between services, so its own revisions have no part in that.
  const names = new Set([...(role === "router" ? [] : revisions), ...split].map(({ name }) => name));
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
  const all = shares.map(({ name, percent }) => `${name} ${percent} %`).join(", ");
  return el("span", { class: `bar bar-${kind}`, role: "img", "aria-label": `${label}: ${all}` }, parts);
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
