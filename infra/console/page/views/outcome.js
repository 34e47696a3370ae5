// What an answer says has become of a movement, in words: legs, fee, and where to go on. A queued one is followed until it is decided.

import { path } from '../api.js';
import { html } from '../html.js';
import { ProblemCard } from '../problem.js';
import { link } from '../router.js';
import { under, visible } from '../text.js';
import { Badge, Facts, Id, Money, MovementLink, Status, Table, Time, WalletLink, Words } from '../ui.js';
import { useGet, useLive } from '../use.js';
import { useEffect } from '../vendor/hooks.js';

/** @typedef {import('../types').Leg} Leg */

const ACCOUNTS = /** @type {Record<string, string>} */ ({ external: 'the outside world', fees: 'fees', rebates: 'rebates' });

/** @type {import('../ui.js').Column<Leg>[]} */
const LEGS = [
  { name: 'Who', wide: true, cell: (leg) => html`${leg.wallet_id ? html`<${WalletLink} id=${leg.wallet_id} />` : html`<span>${under(ACCOUNTS, leg.account ?? '') ?? visible(leg.account)}</span>`}${leg.reference && html` <q><${Words} text=${leg.reference} /></q>`}` },
  { name: 'Amount', numeric: true, cell: (leg) => html`<${Money} amount=${leg.amount} signed />` },
  { name: 'Balance after', numeric: true, cell: (leg) => (leg.balance_after === undefined ? html`<span class="faint">${leg.settled === undefined ? '–' : leg.settled ? 'settled' : 'waits to be settled'}</span>` : html`<${Money} amount=${leg.balance_after} />`) },
  { name: 'Version', numeric: true, cell: (leg) => leg.version_after ?? html`<span class="faint">–</span>` },
];

/** @param {{legs: Leg[]}} props */
export function Legs({ legs }) {
  if (legs.length === 0) return null;
  return html`<${Table} caption="Legs: they sum to zero" columns=${LEGS} rows=${legs} keyOf=${(/** @type {Leg} */ leg) => `${leg.wallet_id ?? leg.account} ${leg.amount}`} />`;
}

/** Of a movement, whatever its state. @param {{of: any}} props */
export function MovementFacts({ of }) {
  const labels = Object.entries(of.metadata ?? {});
  return html`
    <${Facts} of=${[
      ['Kind', visible(of.type)],
      ['Status', of.dry_run ? html`<${Badge} kind="warn">would be ${visible(of.status)}</${Badge}>` : html`<${Status} status=${of.status} />`],
      ['Amount', html`<${Money} amount=${of.amount} currency=${of.currency} />`],
      ['Fee', of.fee === null ? html`<span class="faint">known when it is executed</span>` : html`<${Money} amount=${of.fee} />`],
      ['Time', html`<${Time} at=${of.created_at} />`],
      ...(of.reference ? [['Reference', html`<${Words} text=${of.reference} />`]] : []),
      ...labels.map(([name, value]) => [html`<${Words} text=${name} />`, html`<${Words} text=${value} />`]),
      ...(of.parent_id ? [['Follows from', html`<${MovementLink} id=${of.parent_id} />`]] : []),
      ...(of.rebate ? [['Rebate', html`${of.rebate.transaction_id ? html`<${MovementLink} id=${of.rebate.transaction_id} />` : 'would follow'} by rule <${Words} text=${of.rebate.rule_id} />${of.rebate.status && html` <${Status} status=${of.rebate.status} />`}`]] : []),
      ...(of.reversed_by ? [['Reversed by', html`<${MovementLink} id=${of.reversed_by} />`]] : []),
    ]} />`;
}

/** Of a hold. @param {{of: import('../types').Hold}} props */
export function HoldFacts({ of }) {
  return html`
    <${Facts} of=${[
      ['Status', html`<${Status} status=${of.status} />`],
      ['Amount', html`<${Money} amount=${of.amount} currency=${of.currency} />`],
      ['Captured', html`<${Money} amount=${of.captured} />`], ['Released', html`<${Money} amount=${of.released} />`], ['Remaining', html`<${Money} amount=${of.remaining} />`],
      ['Of', html`<${WalletLink} id=${of.source} />`], ['For', of.destination ? html`<${WalletLink} id=${of.destination} />` : 'the outside world'],
      ['Until', html`<${Time} at=${of.expires_at} />`],
      ...(of.reference ? [['Reference', html`<${Words} text=${of.reference} />`]] : []),
    ]} />
    ${of.id && of.status === 'active' && html`<div class="actions"><a class="button" href=${link(['move', 'capture'], { hold: of.id })}>Capture</a> <a class="button" href=${link(['move', 'void'], { hold: of.id })}>Void</a></div>`}`;
}

/** A queued one, read until it is decided. @param {{of: any}} props */
function Queued({ of }) {
  const { body, reload } = useGet(path(['v1', 'transactions', of.id]));
  const now = /** @type {any} */ (body) ?? of;
  const waits = now.status === 'queued';
  useLive((batch) => waits && batch.movements.some((movement) => movement.transaction_id === of.id), reload, 50);
  useEffect(() => {
    if (!waits) return undefined;
    const timer = setInterval(reload, 2000);
    return () => clearInterval(timer);
  }, [waits]);
  return html`
    <p aria-live="polite"><${Badge} kind=${waits ? 'warn' : 'good'}>${waits ? 'accepted, waits to be executed' : 'executed'}</${Badge}></p>
    ${now.reason ? html`<${ProblemCard} problem=${{ title: 'Refused when it was executed', status: 0, retryable: false, ...now.reason }} />` : html`<${MovementFacts} of=${now} /><${Legs} legs=${now.legs} />`}`;
}

/** What the page was answered. @param {{body: any}} props */
export function Outcome({ body }) {
  if (!body || typeof body !== 'object') return html`<p>The answer says nothing more.</p>`;
  const isWallet = typeof body.id === 'string' && body.id.startsWith('wal_');
  const isHold = body.remaining !== undefined;
  const follow = body.id && !isWallet;
  return html`
    ${body.dry_run && html`<p class="verdict">This <strong>would be posted</strong> at this moment. Nothing was written; another may come first.</p>`}
    ${isWallet && html`<p class="verdict good">The wallet${body.owner ? html` of <strong><${Words} text=${body.owner} /></strong>` : ''} is at version ${body.version}, ${body.status}.</p>
      <${Id} id=${body.id} /><div class="actions"><a class="button primary" href=${link(['wallets', body.id])}>Look at it</a> <a class="button" href=${link(['move', 'deposit'], { wallet: body.id })}>Deposit into it</a></div>`}
    ${isHold && html`<${HoldFacts} of=${body} />`}
    ${!isWallet && !isHold && (body.status === 'queued' ? html`<${Queued} of=${body} />` : html`<${MovementFacts} of=${body} /><${Legs} legs=${body.legs ?? []} />`)}
    ${follow && html`<${Id} id=${body.id} /><div class="actions"><a class="button primary" href=${link(['movements', body.id])}>Follow it</a>
      ${!isHold && !['reversal', 'rebate', 'void', 'expiry'].includes(body.type) && body.status === 'posted' && !body.dry_run && html`<a class="button" href=${link(['move', 'reverse'], { transaction: body.id })}>Undo it</a>`}</div>`}`;
}
