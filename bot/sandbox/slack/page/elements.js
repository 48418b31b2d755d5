// What may stand in `actions` or beside a section: buttons, overflow menus, images, and value controls.

import { control, isControl } from "./controls.js";
import { el } from "./dom.js";
import { image } from "./image.js";
import { controlAttributes, interact } from "./interactions.js";
import { openMenu } from "./menu.js";
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
      onclick: () => openMenu(opener, context.words.more_actions, menuItems(element, context, blockId)),
    },
    "⋯",
  );
  return opener;
}

function menuItems(element, context, blockId) {
  return element.options.map((option) => ({
    text: plainText(option.text),
    detail: plainText(option.description),
    value: option.value,
    onChoose: () => {
      if (option.url) open(option.url);
      interact(element, context, blockId, option.value);
    },
  }));
}

function open(address) {
  if (/^https?:\/\//i.test(address)) window.open(address, "_blank", "noopener,noreferrer");
}
