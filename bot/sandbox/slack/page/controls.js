// Elements that hold a value: selects, radio buttons, checkboxes, dates, text and number inputs.

import { el } from "./dom.js";
import { controlAttributes } from "./interactions.js";
import { plainText, textObject } from "./mrkdwn.js";

const CONTROLS = {
  static_select: staticSelect,
  radio_buttons: (element, context, setting) => choices("radio", element, context, setting),
  checkboxes: (element, context, setting) => choices("checkbox", element, context, setting),
  datepicker: (element, context, setting) =>
    field({ type: "date" }, element.initial_date, element, context, setting),
  timepicker: (element, context, setting) =>
    field({ type: "time" }, element.initial_time, element, context, setting),
  plain_text_input: textInput,
  number_input: numberInput,
};

export function isControl(element) {
  return Object.hasOwn(CONTROLS, element.type);
}

/**
 * Return a node for `element` whose `readValue()` gives its plain value: a string, a list of strings
 * (checkboxes), or null for nothing.
 * `setting`: blockId; label (spoken where nothing visible labels it); draft (a value to start from instead
 * of the initial one); onChoose(value) -> Promise<boolean>, false puts the old choice back.
 */
export function control(element, context, setting) {
  const node = CONTROLS[element.type](element, context, setting);
  node.dataset.value = element.type;
  return node;
}

function staticSelect(element, context, setting) {
  const initial = setting.draft ?? element.initial_option?.value ?? "";
  const groups = element.option_groups;
  const node = el(
    "select",
    { class: "select", "aria-label": setting.label, ...controlAttributes(element, context, setting.blockId) },
    el("option", { value: "" }, plainText(element.placeholder) || context.words.select_option),
    groups
      ? groups.map((group) => el("optgroup", { label: plainText(group.label) }, group.options.map(option)))
      : element.options.map(option),
  );
  node.value = initial;
  node.readValue = () => node.value || null;
  onChange(node, setting, (value) => (node.value = value ?? ""));
  return node;
}

function option(choice) {
  return el("option", { value: choice.value }, plainText(choice.text));
}

function choices(kind, element, context, setting) {
  const initial = [setting.draft ?? initialChoices(element)].flat();
  const name = crypto.randomUUID();
  const boxes = element.options.map((choice) => {
    const box = el("input", { type: kind, name, value: choice.value });
    box.checked = initial.includes(choice.value);
    return box;
  });
  const node = el(
    "fieldset",
    {
      class: "choices",
      "aria-label": setting.label,
      ...controlAttributes(element, context, setting.blockId),
    },
    element.options.map((choice, index) => choiceLabel(boxes[index], choice, context)),
  );
  const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
  node.readValue = () => (kind === "radio" ? (chosen()[0] ?? null) : chosen());
  onChange(node, setting, (value) =>
    boxes.forEach((box) => (box.checked = [value].flat().includes(box.value))),
  );
  return node;
}

function initialChoices(element) {
  const options = element.initial_options ?? (element.initial_option ? [element.initial_option] : []);
  return options.map((choice) => choice.value);
}

function choiceLabel(box, choice, context) {
  return el(
    "label",
    { class: "choice" },
    box,
    el(
      "span",
      {},
      textObject(choice.text, context),
      choice.description &&
        el("span", { class: "choice-description" }, textObject(choice.description, context)),
    ),
  );
}

function textInput(element, context, setting) {
  const attributes = { maxlength: element.max_length ?? 3000, tag: element.multiline ? "textarea" : "input" };
  return field(attributes, element.initial_value, element, context, setting);
}

function numberInput(element, context, setting) {
  const step = element.is_decimal_allowed ? "any" : 1;
  return field({ type: "number", step }, element.initial_value, element, context, setting);
}

function field({ tag = "input", ...attributes }, initial, element, context, setting) {
  const node = el(tag, {
    class: "field",
    type: tag === "input" ? "text" : null,
    rows: tag === "textarea" ? 4 : null,
    autocomplete: "off",
    "aria-label": setting.label,
    placeholder: plainText(element.placeholder) || null,
    ...attributes,
    ...controlAttributes(element, context, setting.blockId),
  });
  node.value = setting.draft ?? initial ?? "";
  node.readValue = () => (node.value === "" ? null : node.value);
  onChange(node, setting, (value) => (node.value = value ?? ""));
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

/** Return what is wrong with the value of an input block's element, in words, or null. */
export function complaint(block, value, words) {
  const element = block.element;
  const isEmpty = value === null || value.length === 0;
  if (isEmpty) return block.optional ? null : words.field_required;
  if (element.type === "plain_text_input") return lengthComplaint(element, value, words);
  return element.type === "number_input" ? numberComplaint(element, value, words) : null;
}

function lengthComplaint(element, value, words) {
  if (value.length < (element.min_length ?? 0)) return words.field_too_short(element.min_length);
  return value.length > (element.max_length ?? 3000) ? words.field_too_long(element.max_length) : null;
}

function numberComplaint(element, value, words) {
  const number = Number(value);
  const isAllowed = element.is_decimal_allowed ? Number.isFinite(number) : Number.isInteger(number);
  if (!isAllowed) return words.field_number;
  if (number < Number(element.min_value ?? -Infinity)) return words.field_too_small(element.min_value);
  return number > Number(element.max_value ?? Infinity) ? words.field_too_large(element.max_value) : null;
}
