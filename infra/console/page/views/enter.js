// Without a token, or with one that is not accepted: says why, and takes another.

import { html } from '../html.js';
import { adopt, session } from '../session.js';
import { useStore } from '../store.js';
import { clock } from '../text.js';
import { useState } from '../vendor/hooks.js';
import { Heading } from '../ui.js';

export function Enter() {
  const { token, refused, expires } = useStore(session);
  const [text, set] = useState('');
  const [why, complain] = useState('');
  const over = expires !== null && expires < Date.now();
  const enter = (/** @type {Event} */ event) => {
    event.preventDefault();
    // A whole console address will do as well.
    const address = text.includes('#') ? new URLSearchParams(text.slice(text.indexOf('#') + 1).trim()) : null;
    const given = address?.get('token') ?? text.trim().replace(/^Bearer\s+/i, '');
    const owners = address?.get('owners');
    if (!given) return complain('Paste a token, or the whole console address.');
    if (!/^[\x21-\x7e]+$/.test(given)) return complain('A token has no blanks and only printable ASCII characters. Copy it whole, in one piece.');
    complain('');
    if (owners) adopt(given, owners.split(',').filter(Boolean));
    else adopt(given);
  };
  return html`
    <section class="enter panel">
      <${Heading}>${refused ? (over ? 'The token has expired' : 'The token is not accepted') : 'Look into the ledger'}</${Heading}>
      ${refused
        ? html`<p role="alert">${over && expires ? `It was good until ${clock(new Date(expires).toISOString())}. ` : 'The server answers 401 to it: it is of another server, damaged, or was made before the server was started anew. '}
            Nothing is lost; your view comes back with another token.</p>`
        : html`<p>This is the console of <strong>wallet functions</strong>: wallets as functions on DynamoDB, where money moves once, adds up, and can be seen doing so. It asks the same API as everybody, with your token.</p>`}
      <ol>
        <li>On your machine: the line <code>console http://…</code> that <code>cargo wallet up</code> prints opens this page with a token in it.</li>
        <li>Or make one: <code>cargo wallet token --sub console --scope "wallets:read wallets:write funds:deposit wallets:admin"</code></li>
        <li>Of a deployment: a token of its issuer.</li>
      </ol>
      <form onSubmit=${enter} novalidate>
        <label for="token">Token, or the whole console address</label>
        <textarea id="token" rows="3" autocomplete="off" spellcheck=${false} value=${text} aria-describedby="token-why" aria-invalid=${why ? 'true' : 'false'}
          onInput=${(/** @type {any} */ event) => set(event.currentTarget.value)}></textarea>
        <p id="token-why" class="why" role="alert">${why}</p>
        <button type="submit" class="primary">${refused ? 'Go on with this token' : 'Open the console'}</button>
        ${token && html` <button type="button" onClick=${() => adopt(token)}>Try the old one again</button>`}
      </form>
      <p class="note">The token is kept in this tab alone, until it is closed. It is sent to this address and to no other.</p>
    </section>`;
}
