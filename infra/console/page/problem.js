// A refusal shown as the problem it is: what it says, and what to do now.

import { html } from './html.js';
import { pretty } from './money.js';
import { link } from './router.js';
import { under, visible } from './text.js';
import { Badge, Prose, Words } from './ui.js';

/** @typedef {import('./api.js').Problem} Problem */

/** What to do, by code. @type {Record<string, string>} */
const ADVICE = {
  malformed_request: 'Mend what it names and send again; the key is still free.',
  idempotency_key_missing: 'Give it a key: any text that you will remember for a repeat.',
  invalid_cursor: 'Begin the list anew.',
  unauthenticated: 'Paste another token: the console line that `cargo wallet up` prints has a fresh one.',
  missing_scope: 'Take a token with the scope that it names.',
  wallet_not_found: 'Check the id, and whose wallet it is: a stranger\u2019s is answered as if it were not there.',
  transaction_not_found: 'Check the id. What was only tried (a dry run) is not there.',
  hold_not_found: 'Check the id, and whose the destination is.',
  route_not_found: 'This server has no such route; a deployment lacks those of the local stack.',
  concurrency_conflict: 'Too many met on this wallet. Nothing has moved: send the same again, with the same key.',
  lock_timeout: 'Others kept the wallet locked. Nothing has moved: send the same again, with the same key.',
  wallet_not_empty: 'Take the rest out, or give up what is held, then close it.',
  credits_in_flight: 'Wait until all credits are settled: up to 15 minutes after batching was ended.',
  already_reversed: 'It is undone already; the movement names its reversal.',
  hold_not_active: 'It was captured or voided already. Look at the hold.',
  hold_expired: 'Its time is over, and its money released. Make a new hold.',
  version_mismatch: 'The wallet has moved on since you looked. Look again, and decide again.',
  body_too_large: 'Send less: 16 KiB at most.',
  insufficient_funds: 'Pay in, or ask for less \u2013 with a new key: this one is answered for ever.',
  max_balance_exceeded: 'Make room, or ask for less \u2013 with a new key.',
  limit_exceeded: 'Ask for less, or tomorrow (UTC) \u2013 with a new key.',
  wallet_frozen: 'A frozen wallet takes money and gives none. An administrator can make it active again; then use a new key.',
  wallet_closed: 'A closed wallet takes no part any more. Choose another.',
  currency_mismatch: 'Choose the wallet\u2019s own currency, or another wallet.',
  request_expired: 'It waited for a day. Send it anew, with a new key.',
  not_reversible: 'Only posted deposits, withdrawals, transfers, payouts and captures can be undone.',
  invalid_amount: 'Write it as 12.50: above zero, with no more decimals than the currency has.',
  invalid_currency: 'Three capitals, such as EUR.',
  ceiling_with_batched_credits: 'A wallet has a ceiling or batched credits, not both.',
  capture_exceeds_hold: 'Capture no more than remains of the hold.',
  same_wallet: 'Choose two different wallets.',
  duplicate_destination: 'Name each payee once.',
  idempotency_key_reused: 'This key belongs to another request. Take a new one.',
  precondition_required: 'Say at which version: If-Match.',
  rate_limited: 'Wait for the next minute, then send the same again with the same key.',
  throttled: 'The database asked to slow down. Nothing has moved: send the same again, with the same key.',
  clock_skew: 'The function\u2019s clock is off; another may answer. Nothing has moved: send the same again.',
  outcome_unknown: 'It may have moved money or not. Send the same again with the same key: that tells, and moves nothing twice.',
  internal: 'A fault of the server\u2019s own. Send the same again with the same key; the request id finds it in the log.',
  no_answer: 'Look whether the server runs (`cargo wallet up`), then send the same again with the same key: it moves at most once.',
  unreadable: 'Something else than this API answers here. Check the address.',
};

/** @param {Problem} problem */
export const advice = ({ code, retryable }) =>
  under(ADVICE, code) ?? (retryable ? 'The same may go through later: send it again with the same key.' : 'Mend what it says, and send it with a new key.');

/**
 * @param {{problem: Problem, retry?: (() => void) | undefined, replayed?: boolean, todo?: string | undefined}} props `todo`: where the code alone does not say what to do
 */
export function ProblemCard({ problem, retry, replayed, todo }) {
  const { title, detail, code, status, request_id: id, available, requested, wallet_id: wallet, payment } = problem;
  return html`
    <section class="problem" role="alert" aria-label="Refused">
      <p class="title">${visible(title)}</p>
      <p><${Words} text=${detail} /></p>
      <p class="todo"><strong>What to do:</strong> <${Prose} text=${todo ?? advice(problem)} /></p>
      <p class="marks">
        <${Badge} kind="bad"><code>${visible(code)}</code></${Badge}>
        ${status > 0 && html`<${Badge}>status ${status}</${Badge}>`}
        <${Badge}>${problem.retryable ? 'retryable: the same may succeed later' : 'not retryable: the same is refused again'}</${Badge}>
        ${replayed && html`<${Badge} kind="warn">replayed: an earlier answer</${Badge}>`}
      </p>
      ${(available ?? requested ?? wallet ?? id) !== undefined && html`<dl class="facts tight">
        ${requested !== undefined && html`<div><dt>asked for</dt><dd>${pretty(requested)}</dd></div>`}
        ${available !== undefined && html`<div><dt>available</dt><dd>${pretty(available)}</dd></div>`}
        ${payment !== undefined && html`<div><dt>payment</dt><dd>number ${payment + 1} (payments[${payment}])</dd></div>`}
        ${wallet && html`<div><dt>wallet</dt><dd><a href=${link(['wallets', wallet])}><code>${visible(wallet)}</code></a></dd></div>`}
        ${id && html`<div><dt>request id</dt><dd><code>${visible(id)}</code></dd></div>`}
      </dl>`}
      ${retry && html`<button type="button" onClick=${retry}>Try again</button>`}
    </section>`;
}
