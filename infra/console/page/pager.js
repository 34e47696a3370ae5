// The way through a list: newer, older, and to its beginning.

import { html } from './html.js';

/** @param {{pages: {page: number, next?: (() => void) | undefined, back?: (() => void) | undefined, first?: (() => void) | undefined}, newer?: string, older?: string}} props */
export function Pager({ pages, newer = 'Newer', older = 'Older' }) {
  const { page, next, back, first } = pages;
  if (!next && !back) return null;
  return html`
    <nav class="pager" aria-label="Pages">
      <button type="button" class="small" disabled=${!first} onClick=${first}>First</button>
      <button type="button" class="small" disabled=${!back} onClick=${back}>${newer}</button>
      <span aria-live="polite">Page ${page}</span>
      <button type="button" class="small" disabled=${!next} onClick=${next}>${older}</button>
    </nav>`;
}
