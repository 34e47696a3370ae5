// Whether the local stack's own routes are here. A deployment has none, and views then say why something is missing.

import { get } from './api.js';
import { html } from './html.js';
import { session } from './session.js';
import { Store } from './store.js';

/**
 * @typedef {{state: 'asking' | 'here' | 'absent' | 'forbidden' | 'failed', dynamodb_url?: string, table?: string,
 *   prices?: {write_million: string, read_million: string, currency: string}}} Local
 */

/** @type {Store<Local>} */
export const local = new Store(/** @type {Local} */ ({ state: 'asking' }));

export async function findLocal() {
  const { token } = session.value;
  local.set({ state: 'asking' });
  const answer = await get('/_local');
  if (!answer || token !== session.value.token) return;
  if (answer.ok) local.set({ ...answer.body, state: 'here' });
  else if (answer.status === 404) local.set({ state: 'absent' });
  else if (answer.status === 403) local.set({ state: 'forbidden' });
  else local.set({ state: 'failed' });
}

/** Why something of the local stack is not shown; nothing while it is. @param {{of: Local, what: string}} props */
export function NotHere({ of, what }) {
  if (of.state === 'absent') {
    return html`<div class="empty"><p><strong>Not here: ${what}.</strong> This server has no local routes (<code>/_local</code>), as every deployment. To try it, run <code>cargo wallet up</code> on your machine and open the console address that it prints.</p></div>`;
  }
  if (of.state === 'forbidden') {
    return html`<div class="empty"><p><strong>A token with <code>wallets:admin</code> is needed for ${what}.</strong> The console address that <code>cargo wallet up</code> prints has one.</p></div>`;
  }
  if (of.state === 'failed') {
    return html`<div class="empty"><p><strong>No answer</strong> as expected, so ${what} cannot be shown.</p><button type="button" onClick=${findLocal}>Ask again</button></div>`;
  }
  return null;
}
