// The ways to move money: of each, its fields, and the call of the API that they make. What is wrong with a field the server says, not the page.

import { path } from './api.js';

/**
 * @typedef {{name: string, label: string, type: 'wallet' | 'text' | 'amount' | 'choice' | 'check' | 'labels' | 'payments', hint?: string, choices?: [string, string][],
 *   optional?: boolean, more?: boolean, initial?: string}} Field `more`: below what is seldom needed
 * @typedef {{destination: string, amount: string, reference: string}} Payment
 * @typedef {Record<string, any>} Values
 * @typedef {{title: string, button: string, does: string, scope: string, fields: Field[], dryRun: boolean, queued: boolean, pinned: boolean, keyless?: boolean,
 *   currencyOf?: string, call: (values: Values) => {method: string, parts: string[], body: Record<string, any>}}} Kind
 */

/** @type {Field} */
const amount = { name: 'amount', label: 'Amount', type: 'amount', hint: 'such as 12.50' };
/** @type {Field} */
const currency = { name: 'currency', label: 'Currency', type: 'text', initial: 'EUR' };
/** @type {Field} */
const reference = { name: 'reference', label: 'Reference', type: 'text', optional: true, hint: 'your own name for it' };
/** @type {Field} */
const labels = { name: 'metadata', label: 'Labels', type: 'labels', optional: true, more: true, hint: 'one name=value per line' };
/** @type {Field} */
const strategy = { name: 'locking_strategy', label: 'Locking strategy', type: 'choice', more: true, choices: [['', 'the deployment\u2019s choice'], ['optimistic', 'optimistic'], ['pessimistic', 'pessimistic']] };
const wallet = (/** @type {string} */ name, /** @type {string} */ label) => /** @type {Field} */ ({ name, label, type: 'wallet' });
const limits = /** @type {Field[]} */ ([
  { name: 'floor', label: 'Floor', type: 'text', optional: true, more: true, hint: 'zero or less, such as -50' },
  { name: 'ceiling', label: 'Ceiling', type: 'text', optional: true, more: true, hint: 'zero or more' },
  { name: 'max_movement', label: 'Largest movement', type: 'text', optional: true, more: true },
  { name: 'max_daily_outflow', label: 'Largest outflow of a day', type: 'text', optional: true, more: true },
  { name: 'transfers_per_minute', label: 'Transfers a minute', type: 'text', optional: true, more: true },
]);

/** What was given, without what was left empty. @param {Values} values @param {string[]} names */
export function given(values, names) {
  /** @type {Record<string, any>} */
  const body = {};
  for (const name of names) {
    const value = values[name];
    if (value !== undefined && value !== null && value !== '') body[name] = name === 'metadata' ? labelled(value) : value;
  }
  return body;
}

/** What must be there is sent as it is, empty too: the server then says what is missing. @param {Values} values @param {string[]} names */
const needed = (values, names) => Object.fromEntries(names.map((name) => [name, values[name] ?? '']));

/** A number where one was written; else the text, for the server to refuse. @param {string} text */
const number = (text) => (/^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : text);

/** @param {string} text lines of name=value @returns {Record<string, string>} */
export function labelled(text) {
  const pairs = text.split('\n').filter((line) => line.trim() !== '').map((line) => {
    const at = line.indexOf('=');
    return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return Object.fromEntries(pairs);
}

const ORDER = ['reference', 'metadata', 'locking_strategy'];

/** Limits as the API nests them. @param {Values} values */
function limited(values) {
  const all = given(values, ['max_movement', 'max_daily_outflow']);
  if (values['transfers_per_minute']) all['transfers_per_minute'] = number(values['transfers_per_minute']);
  // `none` takes a limit away, where one can be taken away.
  const cleared = Object.fromEntries(Object.entries(all).map(([name, value]) => [name, value === 'none' ? null : value]));
  return Object.keys(cleared).length > 0 ? { limits: cleared } : {};
}

/** @param {Values} values */
const ofWallet = (values) => values['wallet'] || 'wal_';

/** @type {Record<string, Kind>} */
export const KINDS = {
  deposit: {
    title: 'Deposit', button: 'Deposit', does: 'Money comes in from outside; a share of it may come back as a rebate.', scope: 'funds:deposit', dryRun: true, queued: true, pinned: true,
    currencyOf: 'wallet', fields: [wallet('wallet', 'Into'), amount, currency, reference, labels, strategy],
    call: (values) => ({ method: 'POST', parts: ['v1', 'wallets', ofWallet(values), 'deposits'], body: { ...needed(values, ['amount', 'currency']), ...given(values, ORDER) } }),
  },
  withdraw: {
    title: 'Withdraw', button: 'Withdraw', does: 'Money leaves to the outside.', scope: 'wallets:write', dryRun: true, queued: true, pinned: true,
    currencyOf: 'wallet', fields: [wallet('wallet', 'From'), amount, currency, reference, labels, strategy],
    call: (values) => ({ method: 'POST', parts: ['v1', 'wallets', ofWallet(values), 'withdrawals'], body: { ...needed(values, ['amount', 'currency']), ...given(values, ORDER) } }),
  },
  transfer: {
    title: 'Send', button: 'Send', does: 'Money goes from one wallet to another, in one transaction.', scope: 'wallets:write', dryRun: true, queued: true, pinned: true,
    currencyOf: 'source', fields: [wallet('source', 'From'), wallet('destination', 'To'), amount, currency, reference, labels, strategy],
    call: (values) => ({ method: 'POST', parts: ['v1', 'transfers'], body: { ...needed(values, ['source', 'destination', 'amount', 'currency']), ...given(values, ORDER) } }),
  },
  payout: {
    title: 'Pay many', button: 'Pay', does: 'One payer, up to 48 payees, all or nothing.', scope: 'wallets:write', dryRun: true, queued: true, pinned: true,
    currencyOf: 'source', fields: [wallet('source', 'From'), currency, { name: 'payments', label: 'Payments', type: 'payments' }, reference, labels, strategy],
    call: (values) => ({
      method: 'POST', parts: ['v1', 'payouts'], body: {
        ...needed(values, ['source', 'currency']),
        payments: /** @type {Payment[]} */ (values['payments'] ?? []).map((payment) => ({ ...needed(payment, ['destination', 'amount']), ...given(payment, ['reference']) })),
        ...given(values, ORDER),
      },
    }),
  },
  hold: {
    title: 'Hold', button: 'Hold', does: 'Money is kept back for a payee, who captures it later or gives it up. It leaves what is available, and no balance.', scope: 'wallets:write', dryRun: true, queued: false, pinned: true,
    currencyOf: 'source', fields: [wallet('source', 'Of'), { ...wallet('destination', 'For'), optional: true, hint: 'nobody: captures leave the system' }, amount, currency,
      { name: 'expires_in', label: 'For how many seconds', type: 'text', optional: true, hint: '60 to 2592000; a week if empty' }, reference, labels, strategy],
    call: (values) => ({
      method: 'POST', parts: ['v1', 'holds'], body: {
        ...needed(values, ['source']), ...given(values, ['destination']), ...needed(values, ['amount', 'currency']),
        ...(values['expires_in'] ? { expires_in: number(values['expires_in']) } : {}), ...given(values, ORDER),
      },
    }),
  },
  capture: {
    title: 'Capture', button: 'Capture', does: 'Takes money of a hold: what is named, or all that remains.', scope: 'wallets:write', dryRun: true, queued: false, pinned: false,
    fields: [{ name: 'hold', label: 'Hold', type: 'text', hint: 'txn_…, its id' }, { ...amount, optional: true, hint: 'all that remains, if empty' },
      { name: 'final', label: 'Final: what is left is released', type: 'check', initial: 'yes' }, strategy],
    call: (values) => ({ method: 'POST', parts: ['v1', 'holds', values['hold'] || 'txn_', 'captures'], body: { ...given(values, ['amount']), ...(values['final'] ? {} : { final: false }), ...given(values, ['locking_strategy']) } }),
  },
  void: {
    title: 'Void', button: 'Give the hold up', does: 'Releases all that remains of a hold.', scope: 'wallets:write', dryRun: true, queued: false, pinned: false,
    fields: [{ name: 'hold', label: 'Hold', type: 'text', hint: 'txn_…, its id' }, strategy],
    call: (values) => ({ method: 'POST', parts: ['v1', 'holds', values['hold'] || 'txn_', 'void'], body: given(values, ['locking_strategy']) }),
  },
  reverse: {
    title: 'Reverse', button: 'Undo it', does: 'Undoes a deposit, withdrawal, transfer, payout or capture: whole, once.', scope: 'wallets:admin', dryRun: true, queued: false, pinned: false,
    fields: [{ name: 'transaction', label: 'Movement', type: 'text', hint: 'txn_…, its id' }, { name: 'allow_overdraft', label: 'Even if the money is spent: the wallet may go below its floor', type: 'check' }, reference, labels, strategy],
    call: (values) => ({ method: 'POST', parts: ['v1', 'transactions', values['transaction'] || 'txn_', 'reversals'], body: { ...given(values, ORDER), ...(values['allow_overdraft'] ? { allow_overdraft: true } : {}) } }),
  },
  open: {
    title: 'Open a wallet', button: 'Open', does: 'A new wallet, with nothing in it.', scope: 'wallets:write', dryRun: false, queued: false, pinned: false,
    fields: [{ name: 'owner', label: 'Owner', type: 'text', optional: true, hint: 'yourself, if empty' }, currency,
      { name: 'credits', label: 'Credits', type: 'choice', choices: [['', 'immediate: each makes a version of its own'], ['batched', 'batched: many are settled together']] }, ...limits, labels],
    call: (values) => ({ method: 'POST', parts: ['v1', 'wallets'], body: { ...needed(values, ['currency']), ...given(values, ['owner', 'floor', 'ceiling', 'credits', 'metadata']), ...limited(values) } }),
  },
  amend: {
    title: 'Amend', button: 'Amend', does: 'Freezes a wallet, or changes its mode and bounds. A frozen wallet takes money and gives none; a closed one does neither, for ever.', scope: 'wallets:admin', dryRun: false, queued: false, pinned: true, keyless: true,
    fields: [wallet('wallet', 'Wallet'),
      { name: 'status', label: 'Status', type: 'choice', choices: [['', 'as it is'], ['active', 'active'], ['frozen', 'frozen'], ['closed', 'closed, for ever']] },
      { name: 'credits', label: 'Credits', type: 'choice', choices: [['', 'as they are'], ['immediate', 'immediate'], ['batched', 'batched']] },
      ...limits.map((field) => ({ ...field, hint: field.name === 'floor' ? 'as it is, if empty' : '\u201cnone\u201d takes it away' }))],
    call: (values) => ({
      method: 'PATCH', parts: ['v1', 'wallets', ofWallet(values)],
      body: { ...given(values, ['status', 'credits', 'floor']), ...(values['ceiling'] ? { ceiling: values['ceiling'] === 'none' ? null : values['ceiling'] } : {}), ...limited(values) },
    }),
  },
};

/**
 * The call that the form makes.
 * @param {Kind} kind @param {Values} values @param {{key: string, dry: boolean, queued: boolean, version: string}} how
 * @returns {import('./api.js').Call}
 */
export function callOf(kind, values, { key, dry, queued, version }) {
  const { method, parts, body } = kind.call(values);
  /** @type {Record<string, string>} */
  const headers = {};
  const asked = dry && kind.dryRun;
  // A dry run needs no key. An amendment of a version is named by that version; of any version it needs a key.
  if (key && !asked && !(kind.keyless && version !== '*')) headers['idempotency-key'] = key;
  if (queued && kind.queued && !asked) headers['prefer'] = 'respond-async';
  if (version && kind.pinned) headers['if-match'] = version === '*' ? '*' : `"${version.replace(/^"|"$/g, '')}"`;
  return { method, path: path(parts, { dry_run: asked ? 'true' : null }), headers, body };
}
