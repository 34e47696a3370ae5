// Templates: `html` makes preact's elements of tagged text. What is put into one is text or an attribute's value, never markup.

import { h } from './vendor/preact.js';
import htm from './vendor/htm.js';

/** @typedef {import('preact').ComponentChildren} Children */

/** @type {(strings: TemplateStringsArray, ...values: any[]) => import('preact').VNode<any>} */
export const html = /** @type {any} */ (htm.bind(/** @type {any} */ (h)));
