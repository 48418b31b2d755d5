// F6 goes from part to part of the page and Shift+F6 back, as in Slack.

/** Where it stops, in the order of the document. */
const REGIONS = [
  "#acting-user",
  "#sidebar [aria-current]",
  "#messages",
  "#composer",
  "#thread-messages",
  "#thread-composer",
  "#drill :is(button, input, select)",
  "#cloud :is(button, input, select)",
];

export function onRegionKey(event) {
  if (event.key !== "F6" || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  const parts = REGIONS.map((selector) => document.querySelector(selector)).filter((part) =>
    part?.checkVisibility({ visibilityProperty: true }),
  );
  const next = parts.findLastIndex(hasFocusAtOrAfter) + (event.shiftKey ? -1 : 1);
  parts.at(next % parts.length).focus();
}

function hasFocusAtOrAfter(part) {
  const focused = document.activeElement;
  return part === focused || part.compareDocumentPosition(focused) & Node.DOCUMENT_POSITION_FOLLOWING;
}
