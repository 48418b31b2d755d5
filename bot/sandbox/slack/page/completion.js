// What the message box offers while one types: commands after "/", people after "@", channels, emoji.

import { emoji, emojiNames } from "./emoji.js";

/** As many as one sees at once. */
const MOST = 8;

/**
 * Return {start, options} for what stands before the caret, options empty when nothing fits.
 * `start`: where the completed text begins. An option: {key, insert, name, detail, more}; `insert` is
 * written from `start` to the caret, followed by a space.
 */
export function completions(text, caret, page) {
  const before = text.slice(0, caret);
  if (/^\/\S*$/.test(text)) return { start: 0, options: commandOptions(text, page) };
  const [, mark, begun] = /(?:^|[\s(])([@#:])([\p{L}\p{N}_.+-]*)$/u.exec(before) ?? [];
  if (!mark) return { start: caret, options: [] };
  const options = OFFERS[mark](begun.toLowerCase(), page).slice(0, MOST);
  return { start: caret - begun.length - 1, options };
}

/** Return the command whose usage a text should hint at: {command, usage_hint, description}, or undefined. */
export function commandMeant(text, page) {
  const [command] = /^\/\S+/.exec(text) ?? [];
  return command && page.state.commands.find((known) => known.command === command);
}

/** Return why Slack would not even send this text to an app, in words, or null. */
export function refusal(command, page) {
  if (page.state.commands.some((known) => known.command === command)) return null;
  if (page.state.own_commands.includes(command)) return page.words.slacks_own_command(command);
  return page.words.unknown_command(command);
}

const OFFERS = {
  "@": (begun, { state, words }) =>
    state.people
      .filter(({ name, real_name }) => begins(begun, name, real_name))
      .map(({ id, name, real_name, role }) => ({
        key: id,
        insert: `@${name}`,
        name: real_name,
        detail: `@${name}`,
        more: words.role(role),
      })),
  "#": (begun, { state }) =>
    state.channels
      .filter(({ is_im, name }) => !is_im && begins(begun, name))
      .map(({ id, name, topic }) => ({ key: id, insert: `#${name}`, name: `#${name}`, detail: topic })),
  // One letter after a colon is more often a time or a list than an emoji.
  ":": (begun) =>
    (begun.length < 2 ? [] : emojiNames().filter((name) => name.startsWith(begun))).map((name) => ({
      key: name,
      insert: `:${name}:`,
      name: `${emoji(name)} :${name}:`,
    })),
};

function commandOptions(typed, { state }) {
  return state.commands
    .filter(({ command }) => command.startsWith(typed))
    .map(({ command, usage_hint, description }) => ({
      key: command,
      insert: command,
      name: command,
      detail: usage_hint,
      more: description,
    }));
}

function begins(begun, ...names) {
  return names.some((name) => name.toLowerCase().startsWith(begun));
}
