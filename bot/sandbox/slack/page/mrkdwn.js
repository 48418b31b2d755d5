// Slack's own markup (*bold*, <url|text>, <@U…>, …) as DOM nodes.
// https://docs.slack.dev/messaging/formatting-message-text

import { el, fragment, link } from "./dom.js";
import { emoji, withEmoji } from "./emoji.js";
import { broadcast, channelMention, groupMention, moment, userMention } from "./references.js";

const STYLES = { "*": "strong", _: "em", "~": "s" };

/** Letters of every script count: in Slack, too, `*굵게*는` stays unformatted. */
const WORD = /[\p{L}\p{N}]/u;

const INLINE = [reference, codeSpan, styled, shortcode, bareAddress];

/**
 * Return nodes for `text` as Slack draws a `mrkdwn` text object or a message's `text`.
 * `verbatim`: addresses that are not in angle brackets stay text.
 */
export function mrkdwn(text, context, { verbatim = false } = {}) {
  const setting = verbatim ? { ...context, matchers: INLINE.filter((one) => one !== bareAddress) } : context;
  const pieces = text.split(/```\n?([\s\S]*?)\n?```/);
  return fragment(
    pieces.map((piece, index) => (index % 2 ? preformatted(piece, setting) : lines(piece, setting))),
  );
}

/** Return the text of a `plain_text` or `mrkdwn` object as nodes. */
export function textObject(object, context) {
  if (object.type === "mrkdwn") return mrkdwn(object.text, context, object);
  return el("span", { class: "plain" }, plainText(object));
}

/** Return the text of a text object as a string, for places that hold no markup (options, labels). */
export function plainText(object) {
  return withEmoji(decode(object?.text ?? ""));
}

/** Undo Slack's three escapes, once: `&amp;lt;` is the text `&lt;`. */
function decode(text) {
  return text.replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">" })[name]);
}

function preformatted(code, context) {
  return el("pre", {}, inline(code, context, [reference]));
}

function lines(text, context) {
  // The line breaks next to a ``` fence belong to the fence.
  const trimmed = text.replace(/^\n|\n$/g, "");
  if (trimmed === "") return null;
  const drawn = [];
  let quote = null;
  for (const line of trimmed.split("\n")) {
    const quoted = /^(?:>|&gt;) ?(.*)$/.exec(line);
    if (!quoted) quote = null;
    else if (!quote) drawn.push((quote = el("blockquote")));
    (quoted ? quote : drawn)[quoted ? "append" : "push"](oneLine(quoted ? quoted[1] : line, context));
  }
  return drawn;
}

function oneLine(line, context) {
  const bullet = /^\s*[•◦▪-] /.test(line);
  return el("div", { class: bullet ? "line bullet" : "line" }, inline(line, context));
}

function inline(text, context, matchers = context.matchers ?? INLINE) {
  const nodes = [];
  let plain = "";
  for (let index = 0; index < text.length;) {
    const hit = firstHit(matchers, text, index, context);
    if (!hit) {
      plain += text[index++];
      continue;
    }
    nodes.push(decode(plain), hit.node);
    plain = "";
    index = hit.end;
  }
  return [...nodes, decode(plain)];
}

function firstHit(matchers, text, index, context) {
  for (const matcher of matchers) {
    const hit = matcher(text, index, context);
    if (hit) return hit;
  }
  return null;
}

function reference(text, index, context) {
  const match = at(/<([^<>\n]+)>/y, text, index);
  if (!match) return null;
  const [target, label] = splitOnce(match[1], "|");
  return { node: drawReference(target, label, context), end: index + match[0].length };
}

function drawReference(target, label, context) {
  const shown = label === undefined ? undefined : decode(label);
  if (target.startsWith("@")) return userMention(target.slice(1), context, shown);
  if (target.startsWith("#")) return channelMention(target.slice(1), context, shown);
  if (target.startsWith("!date^")) return dateReference(target, shown, context);
  if (target.startsWith("!subteam^")) return groupMention(target.slice("!subteam^".length), shown);
  if (target.startsWith("!")) return broadcast(target.slice(1));
  return link(decode(target), withEmoji(shown ?? decode(target)));
}

function dateReference(target, fallback, context) {
  const [, ts, template, address] = target.split("^");
  return moment({ ts, template: decode(template ?? ""), fallback, address }, context);
}

function codeSpan(text, index, context) {
  const match = at(/`([^`\n]+)`/y, text, index);
  if (!match) return null;
  return { node: el("code", {}, inline(match[1], context, [reference])), end: index + match[0].length };
}

function styled(text, index, context) {
  const tag = STYLES[text[index]];
  if (!tag || !opens(text, index)) return null;
  const end = closing(text, index);
  if (end < 0) return null;
  return { node: el(tag, {}, inline(text.slice(index + 1, end), context)), end: end + 1 };
}

function opens(text, index) {
  const next = text[index + 1];
  return !WORD.test(text[index - 1] ?? "") && next !== undefined && !/\s/.test(next) && next !== text[index];
}

function closing(text, start) {
  for (let index = start + 1; index < text.length && text[index] !== "\n"; index++) {
    index += skipOver(text, index);
    const closes = text[index] === text[start] && index > start + 1 && !/\s/.test(text[index - 1]);
    if (closes && !WORD.test(text[index + 1] ?? "")) return index;
  }
  return -1;
}

/** A mark inside a reference or a code span closes nothing. */
function skipOver(text, index) {
  const match = at(/<[^<>\n]+>|`[^`\n]+`/y, text, index);
  return match ? match[0].length : 0;
}

function shortcode(text, index) {
  const match = at(/:([a-z0-9_+-]+):/y, text, index);
  const character = match && emoji(match[1]);
  if (!character) return null;
  return { node: el("span", { class: "emoji", title: match[0] }, character), end: index + match[0].length };
}

function bareAddress(text, index) {
  if (WORD.test(text[index - 1] ?? "")) return null;
  const match = at(/https?:\/\/[^\s<>|`]*[^\s<>|`.,;:!?)*_~]/y, text, index);
  if (!match) return null;
  const address = decode(match[0]);
  return { node: link(address, address), end: index + match[0].length };
}

function at(stickyPattern, text, index) {
  stickyPattern.lastIndex = index;
  return stickyPattern.exec(text);
}

function splitOnce(text, separator) {
  const position = text.indexOf(separator);
  return position < 0 ? [text, undefined] : [text.slice(0, position), text.slice(position + 1)];
}
