// A menu beside its opener: with the keyboard as with the mouse, gone with a choice, Escape or a click elsewhere.

import { el } from "./dom.js";

/**
 * Open a menu beside `opener`.
 * `label`: its name for screen readers. `items`: [{text, detail (a second line), value, onChoose}].
 */
export function openMenu(opener, label, items) {
  const choose = (item) => {
    menu.hidePopover();
    item.onChoose();
  };
  const nodes = items.map((item) => itemNode(item, () => choose(item)));
  const menu = el(
    "div",
    { class: "menu", role: "menu", popover: "auto", "aria-label": label, onkeydown: moveFocus },
    nodes,
  );
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    menu.remove();
    if (document.activeElement === document.body) opener.focus();
  });
  // A modal dialog makes everything outside itself inert, so the menu stays beside its opener.
  opener.after(menu);
  menu.showPopover();
  place(menu, opener);
  nodes[0]?.focus();
}

function itemNode({ text, detail, value }, onclick) {
  return el(
    "button",
    { class: "menu-item", role: "menuitem", type: "button", "data-option": value, onclick },
    text,
    detail && el("span", { class: "menu-detail" }, detail),
  );
}

function moveFocus(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const items = [...event.currentTarget.children];
  const next = items.indexOf(document.activeElement) + step;
  items[(next + items.length) % items.length].focus();
}

function place(menu, opener) {
  const anchor = opener.getBoundingClientRect();
  const left = Math.min(anchor.left, innerWidth - menu.offsetWidth - 8);
  const below = anchor.bottom + 4;
  const fits = below + menu.offsetHeight < innerHeight;
  menu.style.left = `${Math.max(8, left)}px`;
  menu.style.top = `${fits ? below : Math.max(8, anchor.top - menu.offsetHeight - 4)}px`;
}
