// The tour's steps, in order. Each looks only at what everybody sees: messages by their keys, the cloud's
// numbers. A step without `isDone` is for reading and goes on by its button.
//
// `targets(tour)`: nodes to point at, the first that can be seen counts. `hint(tour)`: one more line.
// `help(tour)`: what the step's button does. `isNeeded(tour)`: whether the step is shown at all.
// `returnsTo(tour)`: the name of an earlier step whose outcome was taken back.

const SERVICE = "ion-api";
const OPERATIONS = "C0OPERATIONS";
const INCIDENTS = "C0CRITICAL";
const COMMAND = "/rollback canary";

/** Who may roll back, as the sandbox's playbook (bot/sandbox/playbook.yaml) has it. */
const MAY_ROLL_BACK = ["U0SENA", "U0LUBIT"];

const SWITCH = `[data-fault=errors][data-service=${SERVICE}]`;

const GO = "[data-action-id='rollback.go']";

const one = (selector) => document.querySelector(selector);
const serviceCard = () => one(`[data-service-card=${SERVICE}]`);
const openCloud = () => one("#toggle-cloud[aria-expanded=false]");

export const STEPS = [
  { name: "see", targets: () => [one("#channel-name")] },
  {
    name: "canary",
    isNeeded: ({ page }) => !hasCanary(page),
    isDone: ({ page }) => hasCanary(page),
    targets: () => [openCloud(), one(`[data-deploy=${SERVICE}]`)?.closest("fieldset"), serviceCard()],
  },
  {
    name: "break",
    isDone: ({ page }) => Boolean(service(page)?.faults.errors),
    targets: () => [openCloud(), one(SWITCH)?.closest("label"), one(SWITCH)],
    help: ({ page }) => {
      if (openCloud()) page.toggle("cloud");
      one(SWITCH)?.focus();
    },
    hint: ({ page }) => (openCloud() ? page.words.tour_open(page.words.cloud) : ""),
  },
  {
    name: "seen",
    isDone: (tour) => isAlarmed(tour),
    targets: ({ page }) => [openCloud(), canaryFigures(page), serviceCard()],
  },
  {
    name: "ask",
    isDone: (tour) => Boolean(rollback(tour)),
    targets: () => [one("#channel-composer .composer-frame")],
    help: (tour) => typeCommand(tour),
    hint: ({ page }) => (MAY_ROLL_BACK.includes(page.me.id) ? "" : page.words.tour_not_allowed),
  },
  {
    name: "confirm",
    isDone: (tour) => hasBegun(rollback(tour)),
    returnsTo: (tour) => withdrawn(tour) && "ask",
    targets: (tour) => inChannel(tour, rollback(tour), (row) => row.querySelector(GO)),
    help: (tour) => tour.target()?.focus(),
    hint: (tour) => elsewhere(tour, rollback(tour)?.channel),
  },
  {
    name: "proof",
    isDone: (tour) => hasEnded(rollback(tour)),
    targets: (tour) => inChannel(tour, rollback(tour), (row) => row),
    hint: (tour) => elsewhere(tour, rollback(tour)?.channel),
  },
  {
    name: "verdict",
    targets: (tour) => inChannel(tour, rollback(tour), (row) => row),
    hint: (tour) => elsewhere(tour, rollback(tour)?.channel),
  },
  {
    name: "incidents",
    isDone: ({ page }) => page.channel === INCIDENTS,
    targets: () => [channelItem(INCIDENTS), one("#toggle-sidebar")],
    help: ({ page }) => page.openChannel(INCIDENTS),
  },
  {
    name: "checklist",
    targets: (tour) => inChannel(tour, found(tour, "checklist:"), (row) => row),
    hint: (tour) => elsewhere(tour, INCIDENTS),
  },
  {
    name: "record",
    targets: (tour) => inChannel(tour, found(tour, "record:"), (row) => row),
    hint: (tour) =>
      elsewhere(tour, INCIDENTS) || (found(tour, "record:") ? "" : tour.page.words.tour_writing),
  },
];

// What the cloud shows ------------------------------------------------------------------------

function service(page) {
  return page.cloud.cloud.services.find(({ name }) => name === SERVICE);
}

/** Whether two revisions share the users, so that there is something to roll back. */
function hasCanary(page) {
  return (service(page)?.traffic ?? []).filter(({ percent }) => percent > 0).length > 1;
}

/** Return the canary's figures: those of the revision that gets the smaller share. */
function canaryFigures(page) {
  const shares = (service(page)?.traffic ?? []).filter(({ percent }) => percent > 0);
  const { name } = shares.sort((a, b) => a.percent - b.percent)[0] ?? {};
  return name && serviceCard()?.querySelector(`[data-revision="${CSS.escape(name)}"]`);
}

// What the bot said ---------------------------------------------------------------------------

/** Return the newest message whose key begins so, with its `channel`, or undefined. */
function found({ page }, key) {
  const all = Object.entries(page.state.messages).flatMap(([channel, messages]) =>
    messages.map((message) => ({ ...message, channel })),
  );
  const fits = all.filter((message) => keyOf(message).startsWith(key));
  return fits.sort((a, b) => Number(a.ts) - Number(b.ts)).at(-1);
}

/** The bot writes what a message is about into its metadata, the same in every language. */
function keyOf(message) {
  return message.metadata?.event_payload?.key ?? "";
}

function says(message, text) {
  return Boolean(message) && JSON.stringify(message.blocks ?? []).includes(text);
}

/** Return the rollback that was asked for since the tour began, or undefined. */
function rollback(tour) {
  const newest = found(tour, "rollback:");
  return newest && Number(newest.ts) > tour.since ? newest : undefined;
}

function hasBegun(message) {
  return says(message, ":hourglass_flowing_sand:") || says(message, ":white_check_mark:");
}

function hasEnded(message) {
  return hasBegun(message) && !says(message, ":hourglass_flowing_sand:");
}

/** Whether the question was cancelled, or lapsed; then the next one counts. */
function withdrawn(tour) {
  const message = rollback(tour);
  const isOver = message && !hasBegun(message) && !says(message, "rollback.go");
  if (isOver) tour.since = Number(message.ts);
  return isOver;
}

/** Whether the bot saw it too: its watch shows red, or it raised the alarm. */
function isAlarmed(tour) {
  const alert = found(tour, "alert:");
  return says(found(tour, "watch:canary:"), ":red_circle:") || (alert && Number(alert.ts) > tour.since);
}

// Where it stands -----------------------------------------------------------------------------

function channelItem(id) {
  return one(`#sidebar [data-channel="${CSS.escape(id)}"]`) ?? undefined;
}

/** Return what `pick` finds in the message's row; in another channel, the way there. */
function inChannel({ page }, message, pick) {
  if (!message) return [];
  if (page.channel !== message.channel) return [channelItem(message.channel), one("#toggle-sidebar")];
  const row = one(`#messages [data-ts="${CSS.escape(message.ts)}"]`);
  return row ? [pick(row), row] : [];
}

/** Return the line that says which channel to open first, or nothing. */
function elsewhere({ page }, id) {
  const channel = page.state.channels.find((one) => one.id === id);
  return channel && page.channel !== id ? page.words.tour_open(`#${channel.name}`) : "";
}

// What the step's button does -----------------------------------------------------------------

function typeCommand({ page }) {
  if (page.channel !== OPERATIONS) page.openChannel(OPERATIONS);
  page.composer.box.value = COMMAND;
  page.composer.suggest();
  page.composer.focus();
}
