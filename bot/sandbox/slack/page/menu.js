// A menu beside its opener: with the keyboard as with the mouse, gone with a choice, Escape or a click elsewhere.

import { el } from "./dom.js";

/** What a menu may stand in: a modal dialog makes everything outside itself inert. */
const HOMES = "dialog, main, aside, nav, header";

/**
 * Open a menu beside `opener`.
 * `label`: its name for screen readers. `items`: [{text, detail (a second line), value, onChoose,
 * isChosen (for one of several that exclude each other)}].
 */
export function openMenu(opener, label, items) {
  const choose = (item) => {
    menu.hidePopover();
    refocus(opener, menu);
    item.onChoose();
  };
  const nodes = items.map((item) => itemNode(item, () => choose(item)));
  const menu = el(
    "div",
    { class: "menu", role: "menu", popover: "auto", "aria-label": label, onkeydown: onKey },
    nodes,
  );
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    menu.remove();
    refocus(opener, menu);
  });
  // Not inside the message: an edit draws that anew, and the menu would be gone under the mouse.
  opener.closest(HOMES).append(menu);
  menu.showPopover();
  place(menu, opener);
  (nodes.find((node) => node.getAttribute("aria-checked") === "true") ?? nodes[0])?.focus();
}

function itemNode({ text, detail, value, isChosen }, onclick) {
  const kind =
    isChosen === undefined ? { role: "menuitem" } : { role: "menuitemradio", "aria-checked": String(isChosen) };
  return el(
    "button",
    { class: "menu-item", type: "button", tabindex: "-1", "data-option": value, ...kind, onclick },
    isChosen && el("span", { class: "menu-tick", "aria-hidden": "true" }, "✓ "),
    text,
    detail && el("span", { class: "menu-detail" }, detail),
  );
}

/** The browser gives the focus back to the opener; if that was drawn anew meanwhile, it goes to the new one. */
function refocus(opener, menu) {
  const isNowhere = document.activeElement === document.body || menu.contains(document.activeElement);
  if (opener.isConnected || !isNowhere) return;
  document.querySelector(`[data-focus="${CSS.escape(opener.dataset.focus ?? "")}"]`)?.focus();
}

function onKey(event) {
  const items = [...event.currentTarget.children];
  const current = items.indexOf(document.activeElement);
  const next = nextIndex(event.key, current, items);
  if (event.key === "Tab") event.currentTarget.hidePopover();
  if (next === undefined) return;
  event.preventDefault();
  items[(next + items.length) % items.length].focus();
}

/** Return where a key goes in the menu, counted without its ends; undefined for a key that goes nowhere. */
function nextIndex(key, current, items) {
  const steps = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: -1 };
  if (key in steps) return steps[key];
  if (key.length !== 1 || key === " ") return undefined;
  const isMeant = (item) => item.textContent.trim().toLowerCase().startsWith(key.toLowerCase());
  const found = [...items.slice(current + 1), ...items.slice(0, current + 1)].find(isMeant);
  return found && items.indexOf(found);
}

function place(menu, opener) {
  const anchor = opener.getBoundingClientRect();
  const left = Math.min(anchor.left, innerWidth - menu.offsetWidth - 8);
  const below = anchor.bottom + 4;
  const fits = below + menu.offsetHeight < innerHeight;
  menu.style.left = `${Math.max(8, left)}px`;
  menu.style.top = `${fits ? below : Math.max(8, anchor.top - menu.offsetHeight - 4)}px`;
}
