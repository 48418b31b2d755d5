// What may stand in `actions` or beside a section: buttons, overflow menus, images, and value controls.

import { control, isControl } from "./controls.js";
import { el } from "./dom.js";
import { image } from "./image.js";
import { controlAttributes, interact } from "./interactions.js";
import { plainText } from "./mrkdwn.js";

/** Return the node of one block element of block `blockId`. */
export function blockElement(element, context, blockId) {
  if (element.type === "button") return button(element, context, blockId);
  if (element.type === "overflow") return overflow(element, context, blockId);
  if (element.type === "image") return image(element, context, "accessory");
  if (!isControl(element)) return context.unsupported(element.type);
  return control(element, context, {
    blockId,
    label: plainText(element.placeholder) || context.words.select_option,
    draft: context.draft?.(blockId, element.action_id),
    onChoose: (value) => interact(element, context, blockId, value),
  });
}

function button(element, context, blockId) {
  return el(
    "button",
    {
      class: `button ${element.style ?? ""}`,
      type: "button",
      "aria-label": element.accessibility_label,
      ...controlAttributes(element, context, blockId),
      onclick: () => {
        if (element.url) open(element.url);
        interact(element, context, blockId);
      },
    },
    plainText(element.text),
  );
}

function overflow(element, context, blockId) {
  const opener = el(
    "button",
    {
      class: "button overflow",
      type: "button",
      "aria-haspopup": "menu",
      "aria-label": context.words.more_actions,
      ...controlAttributes(element, context, blockId),
      onclick: () => openMenu(opener, element, context, blockId),
    },
    "⋯",
  );
  return opener;
}

function openMenu(opener, element, context, blockId) {
  const choose = (option) => {
    menu.hidePopover();
    if (option.url) open(option.url);
    interact(element, context, blockId, option.value);
  };
  const items = element.options.map((option) => menuItem(option, () => choose(option)));
  const label = context.words.more_actions;
  const menu = el(
    "div",
    { class: "menu", role: "menu", popover: "auto", "aria-label": label, onkeydown: moveFocus },
    items,
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
  items[0]?.focus();
}

function menuItem(option, onclick) {
  const attributes = {
    class: "menu-item",
    role: "menuitem",
    type: "button",
    "data-option": option.value,
    onclick,
  };
  return el("button", attributes, plainText(option.text));
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

function open(address) {
  if (/^https?:\/\//i.test(address)) window.open(address, "_blank", "noopener,noreferrer");
}
