// What a wallet has refused, and what keeps its money back.

import { path } from '../api.js';
import { html } from '../html.js';
import { Pager } from '../pager.js';
import { ProblemCard, advice } from '../problem.js';
import { link } from '../router.js';
import { visible } from '../text.js';
import { Empty, Loading, Money, MovementLink, Prose, Status, Table, Time, WalletLink, Words } from '../ui.js';
import { useLive, usePages } from '../use.js';

/** @typedef {import('../types').Transaction} Transaction */
/** @typedef {import('../types').Hold} Hold */
/** @typedef {import('../types').Wallet} Wallet */

const PAGE = 25;

/** A list of the wallet's, kept fresh on its first page. @param {Wallet} of @param {string} name */
function useListOf(of, name) {
  const pages = usePages((cursor) => path(['v1', 'wallets', of.id, name], { limit: PAGE, cursor }), name);
  useLive((batch) => batch.wallets.has(of.id), () => { if (pages.page === 1) pages.reload(); }, 1000);
  return pages;
}

/** @type {import('../ui.js').Column<Transaction>[]} */
const ATTEMPTS = [
  { name: 'Time', long: true, cell: (row) => html`<${Time} at=${row.created_at} />` },
  { name: 'What', long: true, cell: (row) => html`<${MovementLink} id=${row.id ?? ''}>${visible(row.type)}</${MovementLink}>${row.reference && html` <q><${Words} text=${row.reference} /></q>`}` },
  { name: 'Asked for', numeric: true, cell: (row) => html`<${Money} amount=${row.reason?.requested ?? row.amount} currency=${row.currency} />` },
  { name: 'Available', numeric: true, cell: (row) => (row.reason?.available === undefined ? html`<span class="faint">–</span>` : html`<${Money} amount=${row.reason.available} />`) },
  { name: 'Why', wide: true, cell: (row) => html`<code class="bad-text">${visible(row.reason?.code ?? '')}</code> <${Words} text=${row.reason?.detail ?? ''} /><span class="faint block">${row.reason && html`<${Prose} text=${advice({ ...row.reason, title: '', status: 422, retryable: false })} />`}</span>` },
];

/** @param {{of: Wallet}} props */
export function Attempts({ of }) {
  const pages = useListOf(of, 'attempts');
  if (pages.problem) return html`<${ProblemCard} problem=${pages.problem} retry=${pages.reload} />`;
  if (!pages.rows) return html`<${Loading} what="Reading the attempts" />`;
  if (pages.rows.length === 0 && pages.page === 1) {
    return html`<${Empty}><p><strong>This wallet has refused nothing yet.</strong> A refusal is kept for ever under its key, and told here.</p>
      <a class="button" href=${link(['move', 'withdraw'], { wallet: of.id, amount: '999999.00', currency: of.currency })}>Try to withdraw too much</a></${Empty}>`;
  }
  return html`<${Table} caption="Refused attempts, newest first" columns=${ATTEMPTS} rows=${pages.rows} keyOf=${(/** @type {Transaction} */ row) => row.id ?? ''} /><${Pager} pages=${pages} />`;
}

/** @type {import('../ui.js').Column<Hold>[]} */
const HOLDS = [
  { name: 'Made', long: true, cell: (row) => html`<${Time} at=${row.created_at} />` },
  { name: 'Hold', wide: true, cell: (row) => html`<${MovementLink} id=${row.id ?? ''} /> for ${row.destination ? html`<${WalletLink} id=${row.destination} />` : 'outside'}${row.reference && html` <q><${Words} text=${row.reference} /></q>`}` },
  { name: 'Amount', numeric: true, cell: (row) => html`<${Money} amount=${row.amount} currency=${row.currency} />` },
  { name: 'Captured', numeric: true, cell: (row) => html`<${Money} amount=${row.captured} />` },
  { name: 'Released', numeric: true, cell: (row) => html`<${Money} amount=${row.released} />` },
  { name: 'Remaining', numeric: true, cell: (row) => html`<${Money} amount=${row.remaining} />` },
  { name: 'Status', long: true, cell: (row) => html`<${Status} status=${row.status} />${row.status === 'active' && html`<span class="faint block">until <${Time} at=${row.expires_at} /></span>`}` },
  { name: 'Do', wide: true, cell: (row) => (row.status === 'active' ? html`<span class="actions"><a class="button small" href=${link(['move', 'capture'], { hold: row.id ?? '' })}>Capture</a> <a class="button small" href=${link(['move', 'void'], { hold: row.id ?? '' })}>Void</a></span>` : '') },
];

/** @param {{of: Wallet}} props */
export function Holds({ of }) {
  const pages = useListOf(of, 'holds');
  if (pages.problem) return html`<${ProblemCard} problem=${pages.problem} retry=${pages.reload} />`;
  if (!pages.rows) return html`<${Loading} what="Reading the holds" />`;
  if (pages.rows.length === 0 && pages.page === 1) {
    return html`<${Empty}><p><strong>Nothing of this wallet is or was held back.</strong> A hold keeps money for a payee, who captures it later, or gives it up.</p>
      <a class="button" href=${link(['move', 'hold'], { source: of.id })}>Make a hold</a></${Empty}>`;
  }
  return html`<${Table} caption="Holds, newest first" columns=${HOLDS} rows=${pages.rows} keyOf=${(/** @type {Hold} */ row) => row.id ?? ''} /><${Pager} pages=${pages} />`;
}
