// A click or choice on its way to the app: confirmed first, one at a time, its failure shown where it happened.

import { askToConfirm } from "./confirm.js";
import { controlsIn, valuesByBlock } from "./drafts.js";
import { post } from "./server.js";

/** Keys of the controls whose interaction was sent and not yet answered. */
const pending = new Set();

/** Return the key that says which control this is, on every pane that draws it. */
function controlKey(where, blockId, actionId) {
  return [where.view_id ?? `${where.channel}/${where.ts}`, blockId, actionId].join("/");
}

/** Return the attributes that every interactive element carries. */
export function controlAttributes(element, context, blockId) {
  const key = controlKey(context.where, blockId, element.action_id);
  return {
    "data-control": key,
    "data-focus": key,
    "data-action-id": element.action_id,
    "data-block-id": blockId,
    disabled: pending.has(key),
  };
}

/**
 * Ask the element's confirm question, if any, then send the interaction.
 * `selected`: the chosen value (string, list of strings for checkboxes, undefined for a button).
 * Returns whether it was sent and accepted.
 */
export async function interact(element, context, blockId, selected) {
  const key = controlKey(context.where, blockId, element.action_id);
  if (pending.has(key)) return false;
  if (element.confirm && !(await askToConfirm(element.confirm, context))) return false;
  context.showFailure(null);
  const answer = await whilePending(key, () =>
    post("action", {
      user: context.me.id,
      ...context.where,
      block_id: blockId,
      action_id: element.action_id,
      selected,
      values: typedBeside(key),
    }),
  );
  if (!answer.ok) context.showFailure(context.words.action_failed(answer.error));
  context.refresh();
  return answer.ok;
}

/** Return what was put into the other inputs of the same message or view, undefined for nothing. */
function typedBeside(key) {
  const surface = document.querySelector(`[data-control="${CSS.escape(key)}"]`)?.closest("[data-surface]");
  if (!surface) return undefined;
  const typed = controlsIn(surface).filter((node) => node.dataset.touched && node.dataset.control !== key);
  return typed.length ? valuesByBlock(typed) : undefined;
}

async function whilePending(key, send) {
  const focused = document.activeElement?.closest?.(`[data-control="${CSS.escape(key)}"]`);
  mark(key, true);
  try {
    return await send();
  } finally {
    mark(key, false);
    // A disabled element loses the focus; hand it back unless the person has moved on.
    if (focused?.isConnected && document.activeElement === document.body) focused.focus();
  }
}

function mark(key, isPending) {
  if (isPending) pending.add(key);
  else pending.delete(key);
  for (const node of document.querySelectorAll(`[data-control="${CSS.escape(key)}"]`)) {
    node.disabled = isPending && !node.dataset.typed;
    node.toggleAttribute("data-pending", isPending);
  }
}
