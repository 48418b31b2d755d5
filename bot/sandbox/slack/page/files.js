// Shared files: a card with a link, and the picture or the first lines where the page can show them.

import { el, fragment, isOwn } from "./dom.js";
import { enlargeable } from "./lightbox.js";

/** Longer texts are a link only. */
const PREVIEW_BYTES = 200_000;

const previews = new Map();

export function drawFile(file, context) {
  return el(
    "div",
    { class: "file", "data-file": file.id },
    el(
      "div",
      { class: "file-card" },
      el("span", { class: "file-icon", "aria-hidden": "true" }, "📄"),
      el(
        "div",
        {},
        fileLink(file),
        el("div", { class: "file-detail" }, `${file.name} · ${sizeInWords(file.size, context.me.locale)}`),
      ),
    ),
    preview(file, context),
  );
}

function fileLink(file) {
  const title = file.title || file.name;
  if (!isOwn(file.url)) return el("span", { class: "file-title" }, title);
  return el(
    "a",
    { class: "file-title", href: file.url, target: "_blank", rel: "noopener noreferrer" },
    title,
  );
}

function preview(file, context) {
  if (!isOwn(file.url)) return null;
  if (file.mimetype.startsWith("image/")) {
    const picture = el("img", { class: "picture wide", src: file.url, alt: file.title || file.name });
    return enlargeable(picture, context.words);
  }
  const isText = /^text\/|json|yaml|markdown/.test(file.mimetype);
  return isText && file.size <= PREVIEW_BYTES ? textPreview(file, context) : null;
}

function textPreview(file, context) {
  const label = `${context.words.preview_of}: ${file.title || file.name}`;
  const text = el("pre", { class: "file-text", tabindex: "0", "aria-label": label, role: "region" });
  readText(file).then((content) => text.append(content));
  return fragment(text);
}

async function readText(file) {
  if (!previews.has(file.id))
    previews.set(
      file.id,
      fetch(file.url).then((response) => response.text()),
    );
  return previews.get(file.id);
}

function sizeInWords(bytes, locale) {
  const [unit, size] =
    bytes < 1000 ? ["byte", 1] : bytes < 1_000_000 ? ["kilobyte", 1000] : ["megabyte", 1_000_000];
  const style = {
    style: "unit",
    unit,
    unitDisplay: unit === "byte" ? "long" : "short",
    maximumFractionDigits: 1,
  };
  return new Intl.NumberFormat(locale, style).format(bytes / size);
}
