// Small charts of the last minutes, as SVG: one line, with the guide's yellow and red lines behind it.
// They stand beside their figure and say in words what they show, so nothing depends on seeing them.

const NAMESPACE = "http://www.w3.org/2000/svg";

/** The drawing's own units; styles stretch it to its place. */
const WIDTH = 120;
const HEIGHT = 32;

/**
 * Return a chart of `values` (oldest first, null is a gap) over `places` places, the newest at the right.
 * `most`: the least value at the upper edge, which a larger value raises. `limits`: {caution, danger} or
 * null. `label`: what it shows, in words.
 */
export function chart(values, { places, most, limits, label }) {
  const top = Math.max(most, ...values.filter((value) => value !== null));
  const heightOf = (value) => HEIGHT - 1 - (value / top) * (HEIGHT - 2);
  const widthOf = (index) => ((places - values.length + index) / (places - 1)) * WIDTH;
  const points = values.map((value, index) => value !== null && [widthOf(index), heightOf(value)]);
  const lines = Object.entries(limits ?? {}).map(([level, value]) =>
    svg("line", { class: `limit-${level}`, x1: 0, x2: WIDTH, y1: heightOf(value), y2: heightOf(value) }),
  );
  const line = svg("path", { class: "chart-line", d: path(points) });
  const attributes = { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" };
  return svg("svg", { ...attributes, role: "img", "aria-label": label }, ...lines, line);
}

/** Return {low, high} of the values that are there, or null when none is. */
export function range(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? { low: Math.min(...known), high: Math.max(...known) } : null;
}

/** Return the path through `points` ([x, y], or false for a gap). A point on its own becomes a dot. */
function path(points) {
  const steps = points.map((point, index) => {
    if (!point) return "";
    const [x, y] = point.map((part) => part.toFixed(1));
    const isAlone = !points[index - 1] && !points[index + 1];
    return `${points[index - 1] ? "L" : "M"}${x} ${y}${isAlone ? "h0.1" : ""}`;
  });
  return steps.join("");
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}
