// The newest movements as they come: a few rows, however many there are.

import { connection, feed } from '../events.js';
import { html } from '../html.js';
import { link } from '../router.js';
import { useStore } from '../store.js';
import { clock, visible } from '../text.js';
import { Empty, Money, MovementLink, Status, WalletLink } from '../ui.js';

/** @param {{most: number}} props */
export function Feed({ most }) {
  const { movements } = useStore(feed);
  const state = useStore(connection);
  if (movements.length === 0) {
    return html`<${Empty}>${state === 'none'
      ? html`<p>A deployment streams no movements to this page. Open a wallet, or a movement by its id.</p>`
      : html`<p>Nothing has moved since you opened this page.</p><a class="button" href=${link(['move', 'deposit'])}>Pay something in</a>`}</${Empty}>`;
  }
  return html`<ol class="feed">${movements.slice(0, most).map((movement) => html`
    <li key=${movement.transaction_id + movement.status}>
      <span class="feed-line">
        <${MovementLink} id=${movement.transaction_id}><strong>${visible(movement.type)}</strong></${MovementLink}>
        <${Money} amount=${movement.amount} currency=${movement.currency} />
        ${movement.status !== 'posted' && html`<${Status} status=${movement.status} />`}
      </span>
      <span class="feed-line faint">
        <${WalletLink} id=${movement.wallet_id} brief />${movement.counterparty && html`<span aria-label="with">↔</span> <${WalletLink} id=${movement.counterparty} brief />`}
        <time datetime=${movement.created_at}>${clock(movement.created_at).split(' ').pop()}</time>
      </span>
      ${movement.code && html`<code class="bad-text">${visible(movement.code)}</code>`}
    </li>`)}</ol>`;
}
