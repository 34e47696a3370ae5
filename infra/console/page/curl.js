// The `curl` that does what a call of the page does, for bash. The token is `$TOKEN`, never itself.

/** One word of bash, whatever is in it. @param {string} text */
export function quoted(text) {
  if (/^[A-Za-z0-9_./:=@%+,-]+$/.test(text)) return text;
  if (/^[\x20-\x7e]*$/.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escape = (/** @type {string} */ c) => `\\U${(c.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`;
  return `$'${text.replace(/['\\]/g, '\\$&').replace(/[^\x20-\x7e]/gu, escape)}'`;
}

/** JSON whose every character can be seen, so that no terminal is confused when it is pasted. @param {unknown} body */
export function json(body) {
  const escape = (/** @type {string} */ c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(body).replace(/[^\x20-\x7e]/g, escape);
}

/** @param {import('./api.js').Call} call @returns {string} */
export function curl({ method, path, headers = {}, body }) {
  const parts = [`curl -sSi${method === 'GET' ? '' : ` -X ${method}`} ${quoted(location.origin + path)}`];
  parts.push('-H "authorization: Bearer $TOKEN"');
  const all = body === undefined ? headers : { 'content-type': 'application/json', ...headers };
  for (const [name, value] of Object.entries(all)) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body !== undefined) parts.push(`-d ${quoted(json(body))}`);
  return parts.join(' \\\n  ');
}
