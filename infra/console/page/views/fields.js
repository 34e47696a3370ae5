// The fields of a form: labels, hints, and a choice among known wallets that also takes any other by its id.

import { path } from '../api.js';
import { html } from '../html.js';
import { add, padded, pretty } from '../money.js';
import { apart, visible } from '../text.js';
import { useGet, useLive } from '../use.js';
import { useState } from '../vendor/hooks.js';
import { recent, useWallet } from '../wallets.js';

/** @typedef {import('../kinds.js').Field} Field */
/** @typedef {import('../kinds.js').Payment} Payment */

const OTHER = 'other';
const MAX_CHOICES = 100;
/** A payout's bound, and one more, so that the refusal can be seen. */
const MAX_PAYMENTS = 49;

/** @param {any} event */
const text = (event) => String(event.currentTarget.value);

/** What is known of the wallet that was chosen. @param {{id: string}} props */
function About({ id }) {
  const wallet = useWallet(id);
  if (!wallet) return null;
  return html`<span class="hint">${pretty(wallet.available)} ${wallet.currency} available, version ${wallet.version}${wallet.status === 'active' ? '' : `, ${wallet.status}`}</span>`;
}

/** What is known of the hold or movement that was named. @param {{name: string, id: string}} props */
function AboutMovement({ name, id }) {
  const named = /^txn_[0-9a-f]{32}$/.test(id);
  const { body, reload } = useGet(named ? path(name === 'hold' ? ['v1', 'holds', id] : ['v1', 'transactions', id]) : null);
  useLive((batch) => batch.movements.some((movement) => movement.transaction_id === id || movement.parent_id === id), reload, 100);
  if (!body) return null;
  /** @type {any} */
  const of = body;
  return html`<span class="hint">${name === 'hold' ? `${pretty(of.remaining)} of ${pretty(of.amount)} ${of.currency} remain, ${of.status}` : `${visible(of.type)} of ${pretty(of.amount)} ${of.currency}, ${of.reversed_by ? 'reversed already' : of.status}`}</span>`;
}

/**
 * @param {{id: string, label: string, value: string, change: (value: string) => void, optional?: boolean | undefined, hint?: string | undefined, plain?: boolean}} props
 */
export function WalletField({ id, label, value, change, optional, hint, plain }) {
  const known = recent().filter((wallet) => wallet.status !== 'closed' || wallet.id === value)
    .sort((a, b) => (a.owner === b.owner ? a.currency.localeCompare(b.currency) : a.owner < b.owner ? -1 : 1)).slice(0, MAX_CHOICES);
  const listed = value === '' || known.some((wallet) => wallet.id === value);
  const [other, set] = useState(false);
  const free = other || !listed || known.length === 0;
  const choose = (/** @type {any} */ event) => {
    const chosen = text(event);
    set(chosen === OTHER);
    change(chosen === OTHER ? '' : chosen);
  };
  return html`
    <div class="field">
      <label for=${id}>${label}${optional && html` <span class="faint">optional</span>`}</label>
      ${known.length > 0 && html`<select id=${id} value=${free ? OTHER : value} onChange=${choose}>
        <option value="">${optional ? hint ?? 'none' : 'Choose a wallet'}</option>
        ${known.map((wallet) => html`<option key=${wallet.id} value=${wallet.id}>${apart(wallet.owner)} · ${pretty(wallet.balance)} ${wallet.currency} · ${wallet.id.slice(0, 10)}…</option>`)}
        <option value=${OTHER}>Another, by its id…</option>
      </select>`}
      ${free && html`<input id=${known.length > 0 ? `${id}-other` : id} aria-label=${`${label}: id of a wallet`} placeholder="wal_…" value=${value} autocomplete="off" spellcheck=${false} onInput=${(/** @type {any} */ event) => change(text(event))} />`}
      ${!plain && html`<${About} id=${value} />`}
    </div>`;
}

/** @param {{payments: Payment[], change: (payments: Payment[]) => void, currency: string}} props */
function Payments({ payments, change, currency }) {
  const set = (/** @type {number} */ at, /** @type {Partial<Payment>} */ news) => change(payments.map((payment, index) => (index === at ? { ...payment, ...news } : payment)));
  const sum = payments.reduce((/** @type {string | null} */ total, payment) => (total === null || payment.amount === '' ? total : add(total, payment.amount)), '0');
  return html`
    <fieldset class="payments">
      <legend>Payments <span class="faint">${payments.length} of 48</span></legend>
      ${payments.map((payment, index) => html`
        <div class="payment" key=${index} role="group" aria-label=${`Payment ${index + 1}`}>
          <${WalletField} id=${`payee-${index}`} label=${`Payee ${index + 1}`} value=${payment.destination} change=${(/** @type {string} */ destination) => set(index, { destination })} plain />
          <div class="field"><label for=${`pay-${index}`}>Amount</label><input id=${`pay-${index}`} inputmode="decimal" autocomplete="off" value=${payment.amount} onInput=${(/** @type {any} */ event) => set(index, { amount: text(event) })} /></div>
          <div class="field"><label for=${`for-${index}`}>Reference</label><input id=${`for-${index}`} autocomplete="off" value=${payment.reference} onInput=${(/** @type {any} */ event) => set(index, { reference: text(event) })} /></div>
          <button type="button" class="small quiet" aria-label=${`Remove payment ${index + 1}`} onClick=${() => change(payments.filter((_, at) => at !== index))}>Remove</button>
        </div>`)}
      <div class="actions">
        <button type="button" class="small" disabled=${payments.length >= MAX_PAYMENTS} onClick=${() => change([...payments, { destination: '', amount: '', reference: '' }])}>Add a payee</button>
        <span aria-live="polite">${sum === null ? html`<span class="bad-text">one of the amounts is no decimal</span>` : html`in all <strong>${pretty(padded(sum, currency))} ${visible(currency)}</strong>`}</span>
      </div>
    </fieldset>`;
}

/**
 * One field of a form, as its type asks.
 * @param {{field: Field, value: any, change: (value: any) => void, currency: string}} props
 */
export function FormField({ field, value, change, currency }) {
  const { name, label, type, hint, optional, choices } = field;
  const id = `field-${name}`;
  const about = hint && html`<span class="hint" id=${`${id}-hint`}>${hint}</span>`;
  const described = hint ? `${id}-hint` : undefined;
  if (type === 'wallet') return html`<${WalletField} id=${id} label=${label} value=${value ?? ''} change=${change} optional=${optional} hint=${hint} />`;
  if (type === 'payments') return html`<${Payments} payments=${value ?? []} change=${change} currency=${currency} />`;
  if (type === 'check') {
    return html`<div class="check"><input id=${id} type="checkbox" checked=${Boolean(value)} onChange=${(/** @type {any} */ event) => change(event.currentTarget.checked)} /><label for=${id}>${label}</label></div>`;
  }
  const caption = html`<label for=${id}>${label}${optional && html` <span class="faint">optional</span>`}</label>`;
  if (type === 'choice') {
    return html`<div class="field">${caption}<select id=${id} value=${value ?? ''} onChange=${(/** @type {any} */ event) => change(text(event))}>
      ${(choices ?? []).map(([choice, shown]) => html`<option key=${choice} value=${choice}>${shown}</option>`)}</select>${about}</div>`;
  }
  if (type === 'labels') {
    return html`<div class="field">${caption}<textarea id=${id} rows="2" value=${value ?? ''} spellcheck=${false} aria-describedby=${described} onInput=${(/** @type {any} */ event) => change(text(event))}></textarea>${about}</div>`;
  }
  return html`<div class="field">${caption}<input id=${id} inputmode=${type === 'amount' ? 'decimal' : undefined} value=${value ?? ''} autocomplete="off" spellcheck=${false} aria-describedby=${described}
    onInput=${(/** @type {any} */ event) => change(text(event))} />${about}
    ${(name === 'hold' || name === 'transaction') && html`<${AboutMovement} name=${name} id=${value ?? ''} />`}</div>`;
}
