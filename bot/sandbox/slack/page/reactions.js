// Emoji under a message and the button that adds one. A click on one's own takes it away again.

import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { openMenu } from "./menu.js";
import { post } from "./server.js";

/** What the button offers; Slack offers thousands. */
const OFFERED = ["pushpin", "eyes", "white_check_mark", "+1", "rotating_light", "memo"];

/** Return the row of emoji under `message`, or null. */
export function reactions(message, context) {
  if (!message.reactions?.length) return null;
  return el(
    "div",
    { class: "reactions" },
    message.reactions.map((reaction) => reactionButton(reaction, context)),
  );
}

function reactionButton({ name, count, users = [] }, context) {
  const isMine = users.includes(context.me.id);
  const number = count ?? users.length;
  const who = users.map((id) => context.person(id)?.real_name ?? id).join(", ");
  return el(
    "button",
    {
      class: "reaction",
      type: "button",
      title: who ? `:${name}: ${who}` : `:${name}:`,
      "aria-label": `:${name}: ${number}`,
      "aria-pressed": String(isMine),
      "data-reaction": name,
      "data-focus": `reaction-${name}`,
      onclick: () => react(name, !isMine, context),
    },
    `${emoji(name) ?? `:${name}:`} ${number}`,
  );
}

/** Return the button that offers some emoji to react with. */
export function addReaction(context) {
  const label = context.words.add_reaction;
  const items = OFFERED.map((name) => ({
    text: `${emoji(name)} ${name}`,
    value: name,
    onChoose: () => react(name, true, context),
  }));
  const opener = el(
    "button",
    {
      class: "icon-button",
      type: "button",
      "data-focus": "react",
      "data-testid": "react",
      "aria-haspopup": "menu",
      "aria-label": label,
      title: label,
      onclick: () => openMenu(opener, label, items),
    },
    "☺",
  );
  return opener;
}

async function react(name, on, context) {
  context.showFailure(null);
  const answer = await post("reaction", { user: context.me.id, ...context.where, name, on });
  if (!answer.ok) context.showFailure(context.words.action_failed(answer.error));
  context.refresh();
}
