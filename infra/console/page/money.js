// Money: decimals as the API writes them, text in and text out. Nothing here is ever a floating-point number but `pixels`.

/** @typedef {{units: bigint, scale: number}} Decimal The value is `units` divided by ten to the power of `scale`. */

const DECIMAL = /^(-?)([0-9]+)(?:\.([0-9]+))?$/;

/**
 * What a decimal says; `null` of anything else.
 * @param {string} text
 * @returns {Decimal | null}
 */
export function parse(text) {
  const parts = DECIMAL.exec(text);
  if (!parts) return null;
  const fraction = parts[3] ?? '';
  const units = BigInt(parts[2] + fraction);
  return { units: parts[1] ? -units : units, scale: fraction.length };
}

/** @param {Decimal} value @returns {string} */
export function print({ units, scale }) {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const sign = units < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Units of both at the larger scale of the two. @param {string} a @param {string} b */
function aligned(a, b) {
  const [left, right] = [parse(a), parse(b)];
  if (!left || !right) return null;
  const scale = Math.max(left.scale, right.scale);
  const at = (/** @type {Decimal} */ value) => value.units * 10n ** BigInt(scale - value.scale);
  return { left: at(left), right: at(right), scale };
}

/** The sum; `null` if one of them is no decimal. @param {string} a @param {string} b @returns {string | null} */
export function add(a, b) {
  const both = aligned(a, b);
  return both && print({ units: both.left + both.right, scale: both.scale });
}

/** What `a` has more than `b`; `null` if one of them is no decimal. @param {string} a @param {string} b @returns {string | null} */
export function subtract(a, b) {
  const both = aligned(a, b);
  return both && print({ units: both.left - both.right, scale: both.scale });
}

/** -1, 0 or 1; `null` if one of them is no decimal. @param {string} a @param {string} b */
export function compare(a, b) {
  const both = aligned(a, b);
  if (!both) return null;
  return both.left < both.right ? -1 : both.left > both.right ? 1 : 0;
}

/** @param {string} text */
export const isZero = (text) => parse(text)?.units === 0n;

/** @param {string} text */
export const isNegative = (text) => (parse(text)?.units ?? 0n) < 0n;

/**
 * For people: thousands apart, a minus as long as a plus; what is no decimal as it is.
 * @param {string} text
 * @param {boolean} [signed] a plus before what is above zero
 */
export function pretty(text, signed = false) {
  const value = parse(text);
  if (!value) return text;
  const [whole = '', fraction] = print({ units: value.units < 0n ? -value.units : value.units, scale: value.scale }).split('.');
  const sign = value.units < 0n ? '\u2212' : signed && value.units > 0n ? '+' : '';
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return sign + grouped + (fraction === undefined ? '' : `.${fraction}`);
}

/** With all the decimals of the currency: events leave zeros at the end out. @param {string} text @param {string} currency */
export function padded(text, currency) {
  const value = parse(text);
  const scale = scaleOf(currency);
  return value && value.scale < scale ? print({ units: value.units * 10n ** BigInt(scale - value.scale), scale }) : text;
}

/** @type {Map<string, number>} */
const scales = new Map();

/** As ISO 4217 has it. @param {string} currency */
function scaleOf(currency) {
  const known = scales.get(currency);
  if (known !== undefined) return known;
  let scale = 0;
  try {
    scale = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 0;
  } catch {
    // What is no currency has no decimals to add.
  }
  scales.set(currency, scale);
  return scale;
}

/** How high to draw it: the one place where an amount becomes a floating-point number. @param {string} text */
export const pixels = (text) => Number(text);
