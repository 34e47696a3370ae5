// The audit at a button: how far it is, what it found in words, and what to do.

import { listen } from '../api.js';
import { html } from '../html.js';
import { pretty } from '../money.js';
import { ProblemCard } from '../problem.js';
import { counted, duration, under, visible } from '../text.js';
import { Badge, MovementLink, Prose, Table, WalletLink, announce } from '../ui.js';
import { useEffect, useRef, useState } from '../vendor/hooks.js';

/**
 * @typedef {{wallet_id: string | null, version: number | null, transaction_id: string | null, check: string, difference: string}} Finding
 * @typedef {{clean: boolean, wallets: number, entries: number, transactions: number, waiting: {credits: number, oldest_ms: number}, findings: Finding[],
 *   findings_not_listed: number, read_units: number, sums: Record<string, Record<string, string>>}} Report
 */

const TAMPERED = 'The item was changed by something else than this system. Freeze the wallet, compare with a backup (point-in-time recovery), and find out who can write to the table.';
const WRONG = 'Freeze the wallets concerned, and compare with a backup. If nobody has written to the table, it is a defect of this system: keep the data and report it.';

/** What a finding means, and what to do, by check. @type {Record<string, [string, string]>} */
const CHECKS = {
  readable: ['An item is not what the ledger writes.', TAMPERED],
  versions: ['Rows of a statement are missing, or there twice.', TAMPERED],
  hash: ['A row does not have the hash of what it says: it was changed.', TAMPERED],
  chain: ['A row does not name the hash of the row before it: one was changed, removed or put in.', TAMPERED],
  running_balance: ['A balance is not the one before it and the amount.', TAMPERED],
  times: ['A row is older than the one before it.', TAMPERED],
  wallet: ['The wallet does not say what its newest row says.', TAMPERED],
  bounds: ['A balance is beyond its floor or ceiling.', WRONG],
  seal: ['A transaction was changed after it was written.', TAMPERED],
  legs: ['The legs of a transaction do not sum to zero, or are not those of its kind.', WRONG],
  refusal: ['A refusal names a wallet or owner that does not fit.', TAMPERED],
  matching: ['A row and its transaction do not fit, or one of them is missing.', WRONG],
  inbox: ['A credit waits for a wallet that is not there or cannot hold it.', 'Look at the wallet: make room, or reverse the credit.'],
  rebate: ['A rebate is not what its deposit’s rule gives, or was paid twice.', WRONG],
  overdue: ['Something that should have followed did not: a rebate, a settlement, or the release of a hold.', 'Look at the queues below: drive dead letters back, or send it again with `cargo wallet dlq`.'],
  reversal: ['A reversal does not give back what was moved.', WRONG],
  holds: ['A hold, or what a wallet keeps back, is not what its movements make of it.', WRONG],
  checkpoint: ['What an earlier audit saw is gone or changed.', TAMPERED],
};

/** @type {import('../ui.js').Column<Finding>[]} */
const COLUMNS = [
  { name: 'Where', cell: (row) => html`${row.wallet_id && html`<${WalletLink} id=${row.wallet_id} />`}${row.version !== null && html` <span class="faint">version ${row.version}</span>`}${row.transaction_id && html` <${MovementLink} id=${row.transaction_id} />`}${!row.wallet_id && !row.transaction_id && html`<span class="faint">the table</span>`}` },
  { name: 'What', wide: true, cell: (row) => html`<${Badge} kind="bad"><code>${visible(row.check)}</code></${Badge}> ${under(CHECKS, row.check)?.[0] ?? ''} <bdi class="faint block">${visible(row.difference)}</bdi>` },
  { name: 'What to do', wide: true, cell: (row) => html`<${Prose} text=${under(CHECKS, row.check)?.[1] ?? WRONG} />` },
];
const MOST_SHOWN = 100;

/** @type {[string, string][]} */
const ACCOUNTS = [['external', 'The outside world'], ['fees', 'Fees'], ['rebates', 'Rebates'], ['wallets', 'Wallets'], ['total', 'Together'], ['waiting', 'Of it waits in inboxes'], ['balances', 'Balances of the wallets']];

/** @param {{of: Report}} props */
function Sums({ of }) {
  const currencies = Object.entries(of.sums);
  if (currencies.length === 0) return html`<p class="note">No money has moved yet: there is nothing to sum up.</p>`;
  return html`<${Table} caption="Money by account and currency" rows=${currencies} keyOf=${(/** @type {[string, any]} */ row) => row[0]} columns=${[
    { name: 'Currency', cell: (/** @type {[string, any]} */ row) => html`<strong>${visible(row[0])}</strong>` },
    ...ACCOUNTS.map(([name, title]) => ({ name: title, numeric: true, cell: (/** @type {[string, any]} */ row) => html`<span class="money">${pretty(row[1][name] ?? '–')}</span>` })),
  ]} /><p class="note">What came from outside, fees and rebates, and what wallets gained: together zero, or money was made or lost.</p>`;
}

/** @param {{of: Report, ms: number}} props */
function Result({ of, ms }) {
  const all = of.findings.length + of.findings_not_listed;
  return html`
    ${of.clean
      ? html`<div class="verdict good"><strong>✓ Everything adds up.</strong> ${counted(of.wallets, 'wallet')}, ${counted(of.entries, 'row')} and ${counted(of.transactions, 'transaction')} recomputed in ${duration(ms)}, for ${of.read_units.toLocaleString('en')} read units.${of.waiting.credits > 0 ? ` ${counted(of.waiting.credits, 'credit')} wait to be settled, the oldest for ${duration(of.waiting.oldest_ms)}.` : ''}</div>`
      : html`<div class="verdict bad"><strong>✗ ${counted(all, 'finding')}.</strong> Of ${counted(of.wallets, 'wallet')}, ${counted(of.entries, 'row')} and ${counted(of.transactions, 'transaction')} some do not add up.</div>
        <${Table} caption="Findings" columns=${COLUMNS} rows=${of.findings.slice(0, MOST_SHOWN)} keyOf=${(/** @type {Finding} */ row) => `${row.wallet_id} ${row.version} ${row.transaction_id} ${row.check} ${row.difference}`} />
        ${all > MOST_SHOWN && html`<p class="note">And ${(all - MOST_SHOWN).toLocaleString('en')} more: <code>cargo wallet audit --json</code> lists them.</p>`}`}
    <${Sums} of=${of} />`;
}

export function Audit() {
  const [state, set] = useState(/** @type {{read: number, of: number, report: Report | null, problem: any, ms: number}} */ ({ read: 0, of: 0, report: null, problem: null, ms: 0 }));
  const [running, run] = useState(false);
  const over = useRef(/** @type {AbortController | null} */ (null));
  useEffect(() => () => over.current?.abort(), []);
  const start = async () => {
    const mine = new AbortController();
    over.current = mine;
    run(true);
    const began = performance.now();
    set({ read: 0, of: 0, report: null, problem: null, ms: 0 });
    /** @type {Report | null} */
    let report = null;
    const problem = await listen({ method: 'POST', path: '/_local/audit' }, mine.signal, (event, said) => {
      if (event === 'progress') set((before) => ({ ...before, read: said.read, of: said.of }));
      else if (event === 'report') report = said;
    });
    if (over.current !== mine || mine.signal.aborted) return run(false);
    const lost = report === null && problem === null ? { title: 'It broke off', detail: 'The answer ended before the report.', code: 'no_answer', status: 0, retryable: true } : problem;
    set((before) => ({ ...before, report, problem: lost, ms: performance.now() - began }));
    run(false);
    announce(report ? (/** @type {Report} */ (report).clean ? 'Everything adds up' : 'The audit has findings') : 'The audit failed');
  };
  return html`
    <div class="actions">
      <button type="button" class="primary" disabled=${running} onClick=${start}>${state.report ? 'Audit again' : 'Run the audit'}</button>
      ${running && html`<button type="button" onClick=${() => over.current?.abort()}>Stop</button>
        <progress max=${state.of || 1} value=${state.of ? Math.min(state.read, state.of) : undefined} aria-label="Items read"></progress>
        <span>${state.of ? `${state.read.toLocaleString('en')} of ${state.of.toLocaleString('en')} items` : 'beginning'}</span>`}
    </div>
    ${!running && !state.report && !state.problem && html`<p class="note">Not run since you opened this view. It only reads, and takes a moment.</p>`}
    ${state.problem && html`<${ProblemCard} problem=${state.problem} retry=${start} />`}
    ${state.report && html`<${Result} of=${state.report} ms=${state.ms} />`}`;
}
