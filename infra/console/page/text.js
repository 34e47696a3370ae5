// Text that others wrote, and times and sizes for people. Whatever it is, it stays text, and cannot turn or hide what is beside it.

// Line breaks, controls, marks of direction, invisible ones. Joiners stay: scripts and emoji need them.
const CONFUSING = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** With characters that could confuse told by their names, as `<U+202E>`. @param {unknown} text */
export function visible(text) {
  const name = (/** @type {string} */ c) => `<U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;
  return String(text ?? '').replace(CONFUSING, name);
}

/** What a table has under a name that others chose: nothing of what every object has. @template T @param {Record<string, T>} table @param {string} name @returns {T | undefined} */
export const under = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);

/**
 * Where no element can keep the direction of a text to itself, as in an option: what is written from right to left between marks. All else
 * without them, since a mark before its first letter would keep the keyboard from finding it.
 * @param {string} text
 */
export const apart = (text) => (/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u.test(text) ? `\u2068${visible(text)}\u2069` : visible(text));

/** An id's beginning, where the whole is a link's address or a tooltip. @param {string} id */
export const shortId = (id) => (/^(wal|txn)_[0-9a-f]{32}$/.test(id) ? `${id.slice(0, 10)}\u2026` : visible(id));

/** `21 Nov 21:37:10.025`, of RFC 3339 in UTC; with the year where it is another. @param {string} time */
export function clock(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return visible(time);
  const iso = date.toISOString();
  const month = date.toLocaleString('en', { month: 'short', timeZone: 'UTC' });
  const year = date.getUTCFullYear() === new Date().getUTCFullYear() ? '' : ` ${date.getUTCFullYear()}`;
  return `${date.getUTCDate()} ${month}${year} ${iso.slice(11, 23)}`;
}

/** `340 ms`, `2.5 s`, `3 min`, `2 h`, `4 days`. @param {number} ms */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms * 10) / 10} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} days`;
}

/** `1 row`, `2 rows`, `1,000 rows`. @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
