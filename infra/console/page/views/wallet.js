// One wallet: what it has, how it came to that, what was refused, what is held, and its terms.

import { path } from '../api.js';
import { point } from '../chain.js';
import { html } from '../html.js';
import { Plot } from '../plot.js';
import { pretty } from '../money.js';
import { ProblemCard } from '../problem.js';
import { link } from '../router.js';
import { Facts, Heading, Id, Loading, Money, Status, Time, Words } from '../ui.js';
import { useGet, useLive } from '../use.js';
import { useMemo, useState } from '../vendor/hooks.js';
import { learn, useWallet } from '../wallets.js';
import { Attempts, Holds } from './lists.js';
import { Past } from './past.js';
import { Statement } from './statement.js';
import { Flash, Incoming } from './wallets.js';

/** @typedef {import('../types').Wallet} WalletType */

const PARTS = /** @type {[string, string][]} */ ([['statement', 'Statement'], ['attempts', 'Refused attempts'], ['holds', 'Holds'], ['past', 'As it was'], ['terms', 'Terms and labels']]);

/** The balance over time: of the newest rows, or of the whole statement once it was gone through. @param {{of: WalletType, whole: import('../chain.js').Point[] | null}} props */
function Balance({ of, whole }) {
  const { body, reload } = useGet(path(['v1', 'wallets', of.id, 'entries'], { limit: 100 }));
  const [byTime, set] = useState(true);
  useLive((batch) => batch.wallets.has(of.id), reload, 1000);
  /** @type {import('../types').Entry[]} */
  const entries = /** @type {any} */ (body)?.entries ?? [];
  const data = useMemo(() => {
    const newest = entries.map(point);
    const oldest = newest.at(-1)?.version ?? Infinity;
    const points = [...newest, ...(whole ?? []).filter(({ version }) => version < oldest)].reverse();
    const last = points.at(-1);
    // The balance stands until now.
    if (last && byTime) points.push({ ...last, at: Math.max(Date.now() / 1000, last.at) });
    return [points.map(({ at, version }) => (byTime ? at : version)), points.map(({ balance }) => balance)];
  }, [body, whole, byTime]);
  const lines = useMemo(() => [{ label: `Balance, ${of.currency}`, colour: '--accent', stepped: true, fill: true }], [of.currency]);
  if (!body) return html`<${Loading} what="Reading the statement" />`;
  const about = whole ? 'over its whole life' : entries.length < 100 ? 'since it was opened' : 'over its newest 100 rows';
  return html`
    <div class="panel-head"><span class="note">Balance ${about}${!whole && entries.length === 100 ? ' (verify the chain to see all of it)' : ''}</span>
      <span class="actions" role="group" aria-label="Drawn">${[true, false].map((time) => html`<button key=${time} type="button" class="small quiet" aria-pressed=${byTime === time} onClick=${() => set(time)}>${time ? 'by time' : 'by version'}</button>`)}</span></div>
    <${Plot} key=${byTime} lines=${lines} data=${data} time=${byTime} unit="" height=${180} says=${`Balance ${byTime ? 'over time' : 'by version'}, ${about}; now ${pretty(of.balance)} ${of.currency}`} />`;
}

/** @param {{of: WalletType}} props */
function Actions({ of: { id, owner, status } }) {
  const to = (/** @type {string} */ kind, /** @type {string} */ name, /** @type {Record<string, string>} */ fields) => html`<a class="button" href=${link(['move', kind], fields)}>${name}</a>`;
  return html`<div class="actions" aria-label="Do something with this wallet" role="group">
    ${status !== 'closed' && html`${to('deposit', 'Deposit', { wallet: id })} ${to('transfer', 'Send', { source: id })} ${to('withdraw', 'Withdraw', { wallet: id })} ${to('payout', 'Pay many', { source: id })} ${to('hold', 'Hold', { source: id })}`}
    ${to('amend', status === 'frozen' ? 'Unfreeze or amend' : 'Freeze or amend', { wallet: id })} ${to('open', 'Open another', { owner })}
  </div>`;
}

/** @param {{of: WalletType}} props */
function Terms({ of }) {
  const { limits, metadata, currency } = of;
  const money = (/** @type {string | null} */ amount) => (amount === null ? html`<span class="faint">none</span>` : html`<${Money} amount=${amount} currency=${currency} />`);
  const labels = Object.entries(metadata);
  return html`
    <${Facts} of=${[
      ['Floor', money(of.floor)], ['Ceiling', money(of.ceiling)], ['Credits', of.credits],
      ['Largest movement', money(limits.max_movement)], ['Largest outflow of a day', money(limits.max_daily_outflow)],
      ['Transfers a minute', limits.transfers_per_minute ?? html`<span class="faint">any number</span>`],
      ['Opened', html`<${Time} at=${of.created_at} />`], ['Last changed', html`<${Time} at=${of.updated_at} />`],
    ]} />
    <h2>Labels</h2>
    ${labels.length === 0 ? html`<p class="faint">None. They are given when a wallet is opened.</p>`
      : html`<${Facts} of=${labels.map(([name, value]) => [html`<${Words} text=${name} />`, html`<${Words} text=${value} />`])} />`}
    <p><a class="button" href=${link(['move', 'amend'], { wallet: of.id })}>Amend</a></p>`;
}

/** @param {{id: string, part: string}} props */
export function Wallet({ id, part: wanted }) {
  const part = PARTS.some(([name]) => name === wanted) ? wanted : 'statement';
  const wallet = useWallet(id);
  // What is kept fresh tells no problem: the first reading does.
  const { problem, reload } = useGet(path(['v1', 'wallets', id]), (body) => learn([/** @type {WalletType} */ (body)]));
  const [whole, set] = useState(/** @type {import('../chain.js').Point[] | null} */ (null));
  if (!wallet) {
    return html`<${Heading}>Wallet</${Heading}>
      ${problem ? html`<${ProblemCard} problem=${problem} retry=${reload} /><p><a href=${link(['wallets'])}>All wallets</a></p>` : html`<${Loading} what="Reading the wallet" />`}`;
  }
  const { currency } = wallet;
  return html`
    <p class="crumbs"><a href=${link(['wallets'])}>Wallets</a> / <a href=${link(['wallets'], { owner: wallet.owner })}><${Words} text=${wallet.owner} /></a></p>
    <${Heading} aside=${html`<${Status} status=${wallet.status} />${wallet.credits === 'batched' && html` <span class="badge">batched credits</span>`}`}><${Words} text=${wallet.owner} />, ${currency}</${Heading}>
    <${Id} id=${id} />
    <dl class="figures">
      <div class="main"><dt>Balance</dt><dd><${Flash} value=${wallet.balance}><${Money} amount=${wallet.balance} currency=${currency} /></${Flash}></dd></div>
      <div><dt>Available</dt><dd><${Money} amount=${wallet.available} /></dd></div>
      <div><dt>Held</dt><dd><${Money} amount=${wallet.held} /></dd></div>
      <div><dt>Incoming</dt><dd><${Incoming} of=${wallet} /></dd></div>
      <div><dt>Version</dt><dd>${wallet.version}</dd></div>
    </dl>
    <${Actions} of=${wallet} />
    <section class="panel" aria-label="Balance over time"><${Balance} of=${wallet} whole=${whole} /></section>
    <nav class="tabs" aria-label="Parts of the wallet"><ul>
      ${PARTS.map(([name, title]) => html`<li key=${name}><a href=${link(name === 'statement' ? ['wallets', id] : ['wallets', id, name])} aria-current=${part === name ? 'page' : undefined}>${title}</a></li>`)}
    </ul></nav>
    <section class="panel" aria-label=${PARTS.find(([name]) => name === part)?.[1] ?? part}>
      ${part === 'statement' && html`<${Statement} of=${wallet} whole=${set} />`}
      ${part === 'attempts' && html`<${Attempts} of=${wallet} />`}
      ${part === 'holds' && html`<${Holds} of=${wallet} />`}
      ${part === 'past' && html`<${Past} of=${wallet} />`}
      ${part === 'terms' && html`<${Terms} of=${wallet} />`}
    </section>`;
}
