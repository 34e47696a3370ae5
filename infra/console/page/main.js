// The beginning: takes the token out of the address, follows the movements, and draws the view that the address names.

import { connection, follow as followEvents } from './events.js';
import { html } from './html.js';
import { findLocal, local } from './local.js';
import { follow, link, place } from './router.js';
import { adopt, arrive, session } from './session.js';
import { useStore } from './store.js';
import { theme, turnTheme, useThemeName } from './theme.js';
import { Announcer, Words } from './ui.js';
import { useEffect, useErrorBoundary, useRef } from './vendor/hooks.js';
import { render } from './vendor/preact.js';
import { Contention } from './views/contention.js';
import { Enter } from './views/enter.js';
import { Health } from './views/health.js';
import { Move } from './views/move.js';
import { Movement, Movements } from './views/movement.js';
import { Wallet } from './views/wallet.js';
import { Wallets } from './views/wallets.js';
import { forget, keepFresh } from './wallets.js';

/** @type {[string, string][]} */
const VIEWS = [['wallets', 'Wallets'], ['move', 'Move money'], ['movements', 'Movements'], ['contention', 'Contention'], ['health', 'Health']];

const CONNECTIONS = {
  connecting: ['warn', 'connecting', 'Asking for the stream of movements'],
  live: ['good', 'live', 'Movements are shown as they come'],
  lost: ['bad', 'connection lost', 'The stream broke off; it is tried again by itself. Nothing that moves is lost: what is shown may be old'],
  refused: ['bad', 'no stream', 'The token does not open the stream of movements: it needs wallets:read'],
  none: ['', 'read every 10 s', 'A deployment has no stream here: what is on the screen is read again every ten seconds'],
};

/** The view that the address names. */
function View() {
  const { parts, fields } = useStore(place);
  const [name = 'wallets', id, part] = parts;
  if (name === 'wallets' && id) return html`<${Wallet} key=${id} id=${id} part=${part ?? 'statement'} />`;
  if (name === 'wallets') return html`<${Wallets} owner=${fields.get('owner') ?? ''} />`;
  if (name === 'move') return html`<${Move} kind=${id ?? 'deposit'} fields=${fields} />`;
  if (name === 'movements' && id) return html`<${Movement} key=${id} id=${id} />`;
  if (name === 'movements') return html`<${Movements} reference=${fields.get('reference') ?? ''} />`;
  if (name === 'contention') return html`<${Contention} />`;
  if (name === 'health') return html`<${Health} />`;
  return html`<div class="empty"><h1 tabindex="-1">There is no such page</h1><p><a href=${link(['wallets'])}>Go to the wallets</a></p></div>`;
}

/** Keeps a fault of a view from taking the page with it. @param {{children?: import('./html.js').Children}} props */
function Guarded({ children }) {
  const [error, clear] = useErrorBoundary();
  const where = useStore(place);
  const failed = useRef(where);
  if (!error) {
    failed.current = where;
    return children;
  }
  if (failed.current !== where) queueMicrotask(clear);
  return html`
    <section class="problem" role="alert">
      <h1 tabindex="-1">This view has a fault</h1>
      <p><${Words} text=${error} /></p>
      <p class="todo"><strong>What to do:</strong> open another view, or <button type="button" class="small" onClick=${clear}>try it again</button>. No money moves by looking.</p>
    </section>`;
}

function Connection() {
  const [kind, name, what] = CONNECTIONS[useStore(connection)];
  return html`<span class=${`connection ${kind}`} role="status" title=${what}><span class="dot" aria-hidden="true"></span>${name}</span>`;
}

function Header() {
  const { parts } = useStore(place);
  const { subject, token } = useStore(session);
  const name = useThemeName();
  const here = parts[0] ?? 'wallets';
  return html`
    <header class="top">
      <a class="brand" href=${link(['wallets'])}>wallet functions</a>
      ${token && html`<nav aria-label="Views"><ul>
        ${VIEWS.map(([view, title]) => html`<li key=${view}><a href=${link([view])} aria-current=${here === view ? 'page' : undefined}>${title}</a></li>`)}
      </ul></nav>`}
      <div class="who">
        ${token && html`<${Connection} />`}
        ${token && html`<span class="subject">as <strong><${Words} text=${subject ?? 'unknown'} /></strong></span>
          <button type="button" class="small quiet" onClick=${() => adopt('', [])}>Leave</button>`}
        <button type="button" class="small quiet" onClick=${turnTheme} aria-label=${`Theme: ${name}`} title="Theme: light, dark, or as the system has it"><span aria-hidden="true">◐ ${name}</span></button>
      </div>
    </header>`;
}

/** What stands above all views when nothing can be read any more. */
function Warnings() {
  const state = useStore(connection);
  const { refused } = useStore(session);
  if (refused || state !== 'lost') return null;
  return html`<p class="banner warn" role="status">The connection to the server is lost; it is tried again by itself. What you see may be old.
    If it stays so, look whether <code>cargo wallet up</code> still runs: started anew it prints a new console address.</p>`;
}

function Footer() {
  const { state } = useStore(local);
  return html`<footer><p>Times are UTC. Nothing here is loaded from elsewhere; the token stays in this tab.
    ${state === 'here' && html` <a href="/docs">The API as a page</a> · <a href="/openapi.json">openapi.json</a>`}</p></footer>`;
}

function App() {
  const { token, refused } = useStore(session);
  const where = useStore(place);
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const path = where.parts.join('/');
  const seen = useRef(path);
  useEffect(() => {
    const heading = main.current?.querySelector('h1');
    document.title = `${heading?.textContent ?? 'Console'} · wallet functions`;
    // Not at the first drawing: the address bar's own focus is where a reader begins.
    if (seen.current !== path) {
      heading?.focus({ preventScroll: true });
      if (seen.current.split('/')[0] !== path.split('/')[0] || seen.current.split('/')[1] !== path.split('/')[1]) window.scrollTo(0, 0);
    }
    seen.current = path;
  }, [path, token]);
  useEffect(() => {
    if (!token) return undefined;
    findLocal();
    const ends = [followEvents(), keepFresh()];
    return () => { for (const end of ends) end(); };
  }, [token]);
  const skip = (/** @type {Event} */ event) => { event.preventDefault(); main.current?.focus(); };
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <${Header} />
    <main id="main" tabindex="-1" ref=${main}>
      <${Warnings} />
      ${token && !refused ? html`<${Guarded} key=${token}><${View} /></${Guarded}>` : html`<${Enter} />`}
    </main>
    <${Footer} />
    <${Announcer} />`;
}

// Another token may see other things. Before any view asks for something with it.
let token = session.value.token;
session.watch((now) => {
  if (now.token !== token) forget();
  token = now.token;
});
theme();
arrive();
follow();
window.addEventListener('hashchange', () => {
  arrive();
  follow();
});
const app = document.getElementById('app');
if (app) render(html`<${App} />`, app);
