// Elements that hold a value: selects, radio buttons, checkboxes, dates, text and number inputs.

import { el } from "./dom.js";
import { controlAttributes } from "./interactions.js";
import { plainText, textObject } from "./mrkdwn.js";
import { momentOf, wallClock } from "./time.js";

/** Milliseconds of silence after which a typed character is told to an app that asked for each of them. */
const TYPING_PAUSE_MS = 300;

const CONTROLS = {
  static_select: (element, context, setting) =>
    select(offered(element, context), element.initial_option?.value, element, context, setting),
  users_select: (element, context, setting) =>
    select(people(context), element.initial_user, element, context, setting),
  channels_select: (element, context, setting) =>
    select(channels(context), element.initial_channel, element, context, setting),
  conversations_select: (element, context, setting) =>
    select(conversations(context), element.initial_conversation, element, context, setting),
  multi_static_select: (element, context, setting) =>
    several(offered(element, context), initialValues(element), element, context, setting),
  multi_users_select: (element, context, setting) =>
    several(people(context), element.initial_users, element, context, setting),
  multi_channels_select: (element, context, setting) =>
    several(channels(context), element.initial_channels, element, context, setting),
  multi_conversations_select: (element, context, setting) =>
    several(conversations(context), element.initial_conversations, element, context, setting),
  radio_buttons: (element, context, setting) =>
    choices("radio", offered(element, context), initialValues(element), element, context, setting),
  checkboxes: (element, context, setting) =>
    choices("checkbox", offered(element, context), initialValues(element), element, context, setting),
  datepicker: (element, context, setting) =>
    field({ type: "date" }, element.initial_date, element, context, setting),
  timepicker: (element, context, setting) =>
    field({ type: "time" }, element.initial_time, element, context, setting),
  datetimepicker: moment,
  plain_text_input: textInput,
  email_text_input: (element, context, setting) =>
    typed({ type: "email" }, element.initial_value, element, context, setting),
  url_text_input: (element, context, setting) =>
    typed({ type: "url" }, element.initial_value, element, context, setting),
  number_input: numberInput,
};

export function isControl(element) {
  return Object.hasOwn(CONTROLS, element.type);
}

/**
 * Return a node for `element` whose `readValue()` gives its plain value: a string, a number (a moment in
 * seconds since 1970), a list of strings, or null for nothing.
 * `setting`: blockId; label (spoken where nothing visible labels it); draft (a value to start from instead
 * of the initial one); onChoose(value) -> Promise<boolean>, false puts the old choice back.
 */
export function control(element, context, setting) {
  const node = CONTROLS[element.type](element, context, setting);
  node.dataset.value = element.type;
  // What somebody put in goes along with whatever they press next; what the app put in it knows.
  if (setting.draft !== undefined) node.dataset.touched = "true";
  node.addEventListener("input", () => (node.dataset.touched = "true"));
  return node;
}

// What can be chosen: {value, label (a node or text), text, group} --------------------------------------

function offered(element, context) {
  const groups = element.option_groups ?? [{ options: element.options }];
  return groups.flatMap(({ label, options }) =>
    options.map((option) => ({
      value: option.value,
      text: plainText(option.text),
      label: optionLabel(option, context),
      group: plainText(label),
    })),
  );
}

function optionLabel({ text, description }, context) {
  return [
    textObject(text, context),
    description && el("span", { class: "choice-description" }, textObject(description, context)),
  ];
}

function people(context) {
  return context.people.map(({ id, real_name }) => named(id, real_name));
}

function channels(context) {
  return context.channels.filter(({ is_im }) => !is_im).map(({ id, name }) => named(id, `#${name}`));
}

function conversations(context) {
  return context.channels.map(({ id, name, is_im }) => named(id, is_im ? name : `#${name}`));
}

function named(value, text) {
  return { value, text, label: text, group: "" };
}

function initialValues(element) {
  const options = element.initial_options ?? (element.initial_option ? [element.initial_option] : []);
  return options.map((choice) => choice.value);
}

/** Return [[name of the group, its choices]], in order; choices without a group have the name "". */
function grouped(offers) {
  const groups = new Map();
  for (const offer of offers) groups.set(offer.group, [...(groups.get(offer.group) ?? []), offer]);
  return [...groups];
}

// Choosing ---------------------------------------------------------------------------------------------

function select(offers, initial, element, context, setting) {
  const option = ({ value, text }) => el("option", { value }, text);
  const node = el(
    "select",
    { class: "select", "aria-label": setting.label, ...controlAttributes(element, context, setting.blockId) },
    el("option", { value: "" }, plainText(element.placeholder) || context.words.select_option),
    grouped(offers).map(([group, members]) =>
      group ? el("optgroup", { label: group }, members.map(option)) : members.map(option),
    ),
  );
  node.value = setting.draft ?? initial ?? "";
  node.readValue = () => node.value || null;
  onChange(node, setting, (value) => (node.value = value ?? ""));
  // While it was open its message was not drawn anew (see `keepOrDraw`), so that is made up for.
  node.addEventListener("blur", () => context.refresh());
  node.addEventListener("keyup", ({ key }) => key === "Escape" && context.refresh());
  return node;
}

/** Several of many: Slack's menu of tokens, here a list that scrolls. */
function several(offers, initial, element, context, setting) {
  const node = choices("checkbox", offers, initial ?? [], element, context, setting);
  node.classList.add("several");
  return node;
}

function choices(kind, offers, initial, element, context, setting) {
  const chosenFirst = [setting.draft ?? initial].flat();
  const name = crypto.randomUUID();
  const boxes = offers.map(({ value }) => {
    const box = el("input", { type: kind, name, value });
    box.checked = chosenFirst.includes(value);
    return box;
  });
  const label = (offer) =>
    el("label", { class: "choice" }, boxes[offers.indexOf(offer)], el("span", {}, offer.label));
  const node = el(
    "fieldset",
    {
      class: "choices",
      "aria-label": setting.label,
      ...controlAttributes(element, context, setting.blockId),
    },
    grouped(offers).map(([group, members]) => [
      group && el("div", { class: "choice-group" }, group),
      members.map(label),
    ]),
  );
  const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
  node.readValue = () => (kind === "radio" ? (chosen()[0] ?? null) : chosen());
  onChange(node, setting, (value) =>
    boxes.forEach((box) => (box.checked = [value].flat().includes(box.value))),
  );
  return node;
}

// Typing -----------------------------------------------------------------------------------------------

function textInput(element, context, setting) {
  const attributes = { maxlength: element.max_length ?? 3000, tag: element.multiline ? "textarea" : "input" };
  return typed(attributes, element.initial_value, element, context, setting);
}

function numberInput(element, context, setting) {
  const step = element.is_decimal_allowed ? "any" : 1;
  return typed({ type: "number", step }, element.initial_value, element, context, setting);
}

/** A date and a time of day on the acting person's own clock. */
function moment(element, context, setting) {
  const shown = (seconds) => (seconds ? wallClock(seconds, context.me) : "");
  const node = box({ type: "datetime-local" }, element, context, setting);
  node.value = shown(setting.draft ?? element.initial_date_time);
  node.readValue = () => (node.value === "" ? null : momentOf(node.value, context.me));
  onChange(node, setting, (value) => (node.value = shown(value)));
  return node;
}

function field(attributes, initial, element, context, setting) {
  const node = holding(box(attributes, element, context, setting), initial, setting);
  onChange(node, setting, (value) => (node.value = value ?? ""));
  return node;
}

/** A field that tells the app, if at all, when Enter is pressed or while one types. */
function typed(attributes, initial, element, context, setting) {
  const node = holding(box(attributes, element, context, setting), initial, setting);
  // One goes on typing while the app is told.
  node.dataset.typed = "true";
  node.disabled = false;
  if (setting.onChoose) onTyping(node, element, setting);
  return node;
}

function box({ tag = "input", ...attributes }, element, context, setting) {
  return el(tag, {
    class: "field",
    type: tag === "input" ? "text" : null,
    rows: tag === "textarea" ? 4 : null,
    autocomplete: "off",
    "aria-label": setting.label,
    placeholder: plainText(element.placeholder) || null,
    ...attributes,
    ...controlAttributes(element, context, setting.blockId),
  });
}

function holding(node, initial, setting) {
  node.value = setting.draft ?? initial ?? "";
  node.readValue = () => (node.value === "" ? null : node.value);
  return node;
}

function onChange(node, setting, write) {
  if (!setting.onChoose) return;
  let accepted = node.readValue();
  node.addEventListener("change", async () => {
    const chosen = node.readValue();
    if (await setting.onChoose(chosen)) accepted = chosen;
    else write(accepted);
  });
}

/** Tell the app of typed text when its element asks for that. What was typed stays, accepted or not. */
function onTyping(node, element, setting) {
  const moments = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  const tell = oneAtATime(() => setting.onChoose(node.readValue()));
  if (moments.includes("on_enter_pressed")) {
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      // Otherwise Enter would submit the whole modal.
      event.preventDefault();
      tell();
    });
  }
  if (moments.includes("on_character_entered")) {
    let pause;
    node.addEventListener("input", () => {
      clearTimeout(pause);
      pause = setTimeout(tell, TYPING_PAUSE_MS);
    });
  }
}

/** Return a function that runs `act`, and once more at its end if it was called meanwhile. */
function oneAtATime(act) {
  let isRunning = false;
  let isWanted = false;
  return async () => {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    while (isWanted) {
      isWanted = false;
      await act();
    }
    isRunning = false;
  };
}

// Complaining ------------------------------------------------------------------------------------------

/** Return what is wrong with the value of an input block's element, in words, or null. */
export function complaint(block, value, words) {
  const element = block.element;
  const isEmpty = value === null || value.length === 0;
  if (isEmpty) return block.optional ? null : words.field_required;
  if (element.type === "plain_text_input") return lengthComplaint(element, value, words);
  if (Array.isArray(value)) return countComplaint(element, value, words);
  if (element.type === "email_text_input") return /^\S+@\S+\.\S+$/.test(value) ? null : words.field_email;
  if (element.type === "url_text_input") return /^https?:\/\/\S+$/.test(value) ? null : words.field_url;
  return element.type === "number_input" ? numberComplaint(element, value, words) : null;
}

function lengthComplaint(element, value, words) {
  if (value.length < (element.min_length ?? 0)) return words.field_too_short(element.min_length);
  const most = element.max_length ?? 3000;
  return value.length > most ? words.field_too_long(most) : null;
}

function countComplaint(element, value, words) {
  const most = element.max_selected_items ?? Infinity;
  return value.length > most ? words.field_too_many(most) : null;
}

function numberComplaint(element, value, words) {
  const number = Number(value);
  const isAllowed = element.is_decimal_allowed ? Number.isFinite(number) : Number.isInteger(number);
  if (!isAllowed) return words.field_number;
  if (number < Number(element.min_value ?? -Infinity)) return words.field_too_small(element.min_value);
  return number > Number(element.max_value ?? Infinity) ? words.field_too_large(element.max_value) : null;
}
