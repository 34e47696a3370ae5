// The small parts that views are made of: words of others, money, times, links to wallets and movements, tables, buttons, answers for screen readers.

import { compare, padded, pretty } from './money.js';
import { link } from './router.js';
import { Store, useStore } from './store.js';
import { clock, shortId, under, visible } from './text.js';
import { useState } from './vendor/hooks.js';
import { html } from './html.js';
import { wallet } from './wallets.js';

/** @typedef {import('preact').ComponentChildren} Children */

/** What a screen reader says next. @type {Store<string>} */
const said = new Store('');

/** Says it to those who listen instead of looking. @param {string} text */
export function announce(text) {
  said.set('');
  setTimeout(() => said.set(text), 50);
}

export function Announcer() {
  return html`<div class="unseen" role="status" aria-live="polite">${useStore(said)}</div>`;
}

/** A sentence of the page's own, in which `..` is code. @param {{text: string}} props */
export const Prose = ({ text }) => html`${text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;

/** Text that others wrote. @param {{text: unknown}} props */
export const Words = ({ text }) => html`<bdi class="words">${visible(text)}</bdi>`;

/** @param {{amount: string, currency?: string, signed?: boolean}} props */
export function Money({ amount, currency, signed }) {
  const kind = signed ? ({ 1: 'in', '-1': 'out', 0: '' }[compare(amount, '0') ?? 0] ?? '') : '';
  // On a phone a very long one may break, at its thousands.
  const parts = pretty(currency ? padded(amount, currency) : amount, signed).split(',');
  const shown = parts.map((part, index) => (index === parts.length - 1 ? part : html`${part},<wbr />`));
  return html`<span class=${`money ${kind}`}>${shown}${currency && html`<span class="currency"> ${visible(currency)}</span>`}</span>`;
}

/** In UTC, as the API has it. @param {{at: string}} props */
export const Time = ({ at }) => html`<time datetime=${at} title=${`${at} (UTC)`}>${clock(at)}</time>`;

/** `brief`: by its owner alone, where that is known. @param {{id: string, brief?: boolean}} props */
export function WalletLink({ id, brief }) {
  if (!id.startsWith('wal_')) return html`<${Words} text=${id} />`;
  const owner = wallet(id)?.owner;
  return html`<a href=${link(['wallets', id])} title=${id}>${owner && html`<${Words} text=${owner} /> `}${!(brief && owner) && html`<code>${shortId(id)}</code>`}</a>`;
}

/** @param {{id: string, children?: Children}} props */
export const MovementLink = ({ id, children }) =>
  html`<a href=${link(['movements', id])} title=${id}>${children ?? html`<code>${shortId(id)}</code>`}</a>`;

/** @param {{kind?: string, children?: Children}} props */
export const Badge = ({ kind = '', children }) => html`<span class=${`badge ${kind}`}>${children}</span>`;

/** How a status is coloured. @type {Record<string, string>} */
const TONES = { posted: 'good', active: 'good', captured: 'good', failed: 'bad', closed: 'bad', frozen: 'warn', queued: 'warn', expired: 'warn', voided: '' };

/** @param {{status: string}} props */
export const Status = ({ status }) => html`<${Badge} kind=${under(TONES, status) ?? ''}>${visible(status)}</${Badge}>`;

/** Puts a text into the clipboard. @param {{text: string, label?: string}} props */
export function Copy({ text, label = 'Copy' }) {
  const [state, set] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      set('Copied');
    } catch {
      set('Not copied: select it and copy it yourself');
    }
    setTimeout(() => set(''), 2000);
  };
  return html`<button type="button" class="small quiet" onClick=${copy}>${state || label}<span class="unseen" role="status">${state}</span></button>`;
}

/** An id in full, to be copied. @param {{id: string}} props */
export const Id = ({ id }) => html`<span class="id"><code>${visible(id)}</code> <${Copy} text=${id} /></span>`;

/** @param {{what?: string}} props */
export const Loading = ({ what = 'Loading' }) => html`<p class="loading" role="status"><span class="spin" aria-hidden="true"></span>${what}…</p>`;

/** Nothing is here, and what to do about it. @param {{children?: Children}} props */
export const Empty = ({ children }) => html`<div class="empty">${children}</div>`;

/**
 * @template T
 * @typedef {{name: string, cell: (row: T) => any, numeric?: boolean, long?: boolean, wide?: boolean}} Column `long`, `wide`: on a phone it takes two places, a line of its own
 */

/**
 * A table; on a phone each row is a card. The roles stay whatever the style makes of it.
 * @param {{caption: string, columns: Column<any>[], rows: any[], keyOf: (row: any) => string, toneOf?: (row: any) => string}} props
 */
export function Table({ caption, columns, rows, keyOf, toneOf }) {
  return html`
    <table role="table">
      <caption class="unseen">${caption}</caption>
      <thead role="rowgroup"><tr role="row">
        ${columns.map(({ name, numeric }) => html`<th role="columnheader" scope="col" class=${numeric ? 'numeric' : ''}>${name}</th>`)}
      </tr></thead>
      <tbody role="rowgroup">
        ${rows.map((row) => html`
          <tr role="row" key=${keyOf(row)} class=${toneOf?.(row) ?? ''}>
            ${columns.map(({ name, cell, numeric, long, wide }) => html`
              <td role="cell" data-label=${name} class=${`${numeric ? 'numeric' : ''} ${long ? 'long' : ''} ${wide ? 'wide' : ''}`}>${cell(row)}</td>`)}
          </tr>`)}
      </tbody>
    </table>`;
}

/**
 * Names and what they are, side by side.
 * @param {{of: [string, any][]}} props
 */
export const Facts = ({ of }) => html`
  <dl class="facts">${of.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

/** A command to copy. @param {{text: string, label?: string}} props */
export const Command = ({ text, label = 'The command' }) => html`
  <div class="command"><pre tabindex="0" role="region" aria-label=${label}>${text}</pre><${Copy} text=${text} label="Copy curl" /></div>`;

/** The view's heading, which takes the focus when the view is opened. @param {{children?: Children, aside?: Children}} props */
export const Heading = ({ children, aside }) => html`<div class="heading"><h1 tabindex="-1">${children}</h1>${aside}</div>`;
