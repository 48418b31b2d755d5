// Slack's timestamps (seconds since 1970, as text) in the acting person's zone and language.

const DAY_SECONDS = 86_400;

/** Return a Date for a Slack ts such as "1761142800.000100". */
export function dateOf(ts) {
  return new Date(Number(ts) * 1000);
}

/** Return the time of day, e.g. "2:05 PM" or "오후 2:05". */
export function clockTime(ts, person) {
  return format(ts, person, { hour: "numeric", minute: "2-digit" });
}

/** Return the whole moment with its offset from UTC, e.g. "October 22, 2025 at 11:05:03 PM UTC+9". */
export function wholeMoment(ts, person) {
  return `${format(ts, person, { dateStyle: "long", timeStyle: "medium" })} ${offset(ts, person)}`;
}

/** Return the offset of the person's zone at that moment, e.g. "UTC+9". */
export function offset(ts, person) {
  const parts = formatter(person, { timeZoneName: "shortOffset" }).formatToParts(dateOf(ts));
  return parts.find((part) => part.type === "timeZoneName").value.replace("GMT", "UTC");
}

/** Return "2025-10-22" in the person's zone: equal for two moments of the same day. */
export function dayKey(ts, person) {
  const parts = formatter(person, { year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA");
  return parts.format(dateOf(ts));
}

/** Return "Today", "Yesterday", or the long date. */
export function dayName(ts, person, words) {
  return nearDay(ts, person, words) ?? format(ts, person, { weekday: "long", month: "long", day: "numeric" });
}

/**
 * Return `template` with the tokens of Slack's `<!date^…>` replaced ({date_num}, {date}, {time}, {ago}, …).
 * An unknown token stays as written, which is how one notices it.
 */
export function fillDate(template, ts, person, words) {
  return template.replace(/\{([a-z_]+)\}/g, (token, name) => TOKENS[name]?.(ts, person, words) ?? token);
}

/** Return whether a filled template shows a time of day, so that its zone matters. */
export function showsTime(template) {
  return /\{time(_secs)?\}/.test(template);
}

const LONG = { year: "numeric", month: "long", day: "numeric" };
const SHORT = { year: "numeric", month: "short", day: "numeric" };
const FULL = { weekday: "long", ...LONG };

const TOKENS = {
  date_num: dayKey,
  date_slash: (ts, person) => dayKey(ts, person).replaceAll("-", "/"),
  date: (ts, person) => format(ts, person, LONG),
  date_short: (ts, person) => format(ts, person, SHORT),
  date_long: (ts, person) => format(ts, person, FULL),
  date_pretty: (ts, person, words) => nearDay(ts, person, words) ?? format(ts, person, LONG),
  date_short_pretty: (ts, person, words) => nearDay(ts, person, words) ?? format(ts, person, SHORT),
  date_long_pretty: (ts, person, words) => nearDay(ts, person, words) ?? format(ts, person, FULL),
  time: clockTime,
  time_secs: (ts, person) => format(ts, person, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago: (ts, person) => ago(ts, person),
};

/** Return the wall clock of a moment in the person's zone, "2025-10-22T23:05". */
export function wallClock(ts, person) {
  const time = formatter(person, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, "en-GB");
  return `${dayKey(ts, person)}T${time.format(dateOf(ts))}`;
}

/** Return the moment, in whole seconds since 1970, at which the person's wall clock shows `wall`. */
export function momentOf(wall, person) {
  const asUtc = secondsOf(wall);
  const ahead = (seconds) => secondsOf(wallClock(seconds, person)) - seconds;
  // The offset may change between the two moments, so the second look decides.
  return asUtc - ahead(asUtc - ahead(asUtc));
}

function secondsOf(wall) {
  return Date.parse(`${wall}Z`) / 1000;
}

function nearDay(ts, person, words) {
  const day = dayKey(ts, person);
  const now = Date.now() / 1000;
  if (day === dayKey(now, person)) return words.today;
  if (day === dayKey(now - DAY_SECONDS, person)) return words.yesterday;
  return day === dayKey(now + DAY_SECONDS, person) ? words.tomorrow : null;
}

function ago(ts, person) {
  const seconds = Number(ts) - Date.now() / 1000;
  const [unit, size] = [
    ["day", DAY_SECONDS],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
  ].find(([, length]) => Math.abs(seconds) >= length || length === 1);
  return new Intl.RelativeTimeFormat(person.locale, { numeric: "auto" }).format(
    Math.round(seconds / size),
    unit,
  );
}

function format(ts, person, options) {
  return formatter(person, options).format(dateOf(ts));
}

function formatter(person, options, locale = person.locale) {
  return new Intl.DateTimeFormat(locale, { ...options, timeZone: person.tz });
}
