// The app's shortcuts: global ones beside the message box, the others in the menu of a message.

import { el } from "./dom.js";
import { openMenu } from "./menu.js";
import { post } from "./server.js";

/** Return the shortcuts of one `type`, "global" or "message". */
export function shortcutsOf(state, type) {
  return state.shortcuts.filter((shortcut) => shortcut.type === type);
}

/**
 * Open a menu of `shortcuts` beside `opener`.
 * `body`: who asks, and about which message: {user, channel, ts}. `onFailure(code or null)`; `onDone()`.
 */
export function openShortcuts(opener, label, shortcuts, { body, onFailure, onDone }) {
  const choose = async (callback_id) => {
    onFailure(null);
    const answer = await post("shortcut", { ...body, callback_id });
    if (!answer.ok) onFailure(answer.error);
    onDone();
  };
  const items = shortcuts.map(({ name, description, callback_id }) => ({
    text: name,
    detail: description,
    value: callback_id,
    onChoose: () => choose(callback_id),
  }));
  openMenu(opener, label, items);
}

/** Return the "…" button of a message, or null when the app offers nothing for messages. */
export function messageMenu(shortcuts, context) {
  if (!shortcuts.length) return null;
  const { words } = context;
  const opener = el(
    "button",
    {
      class: "icon-button",
      type: "button",
      "data-focus": "message-menu",
      "data-testid": "message-menu",
      "aria-haspopup": "menu",
      "aria-label": words.more_actions,
      title: words.more_actions,
      onclick: () =>
        openShortcuts(opener, words.more_actions, shortcuts, {
          body: { user: context.me.id, ...context.where },
          onFailure: (code) => context.showFailure(code && words.action_failed(code)),
          onDone: () => context.refresh(),
        }),
    },
    "⋯",
  );
  return opener;
}
