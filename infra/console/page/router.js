// Where the page is: a path and fields after `#`, below /console. The server knows nothing of it.

import { Store } from './store.js';

/** @typedef {{parts: string[], fields: URLSearchParams}} Place */

/** @returns {Place} */
function read() {
  const [path = '', fields = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  const part = (/** @type {string} */ text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  return { parts: path.split('/').filter(Boolean).map(part), fields: new URLSearchParams(fields) };
}

/** @type {Store<Place>} */
export const place = new Store(read());

/** Reads the address again. */
export const follow = () => place.set(read());

/** An address for a link. @param {string[]} parts @param {Record<string, string | undefined>} [fields] */
export function link(parts, fields = {}) {
  const given = Object.entries(fields).filter((field) => field[1]);
  const query = new URLSearchParams(/** @type {[string, string][]} */ (given)).toString();
  return `#/${parts.map(encodeURIComponent).join('/')}${query ? `?${query}` : ''}`;
}

/** @param {string} address of `link` */
export function go(address) {
  location.hash = address;
}
