// Server-sent events of an answer, one by one, as the standard has them: `EventSource` sends no `Authorization`, so they are read with `fetch`.

/** @typedef {{event: string, data: string, id: string | null}} Message */

/**
 * Each event of the body, and nothing of a last one that broke off.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<Message, void>}
 */
export async function* messages(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  /** @type {{event: string, data: string[], id: string | null}} */
  let message = { event: 'message', data: [], id: null };
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      // A carriage return at the end may have its line feed in the next part.
      const end = rest.endsWith('\r') ? rest.length - 1 : rest.length;
      const lines = rest.slice(0, end).split(/\r\n|\n|\r/);
      rest = (lines.pop() ?? '') + rest.slice(end);
      for (const line of lines) {
        if (line !== '') field(message, line);
        else {
          if (message.data.length > 0) yield { ...message, data: message.data.join('\n') };
          message = { event: 'message', data: [], id: null };
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** @param {{event: string, data: string[], id: string | null}} message @param {string} line */
function field(message, line) {
  const colon = line.indexOf(':');
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
  if (name === 'data') message.data.push(value);
  else if (name === 'event') message.event = value;
  else if (name === 'id') message.id = value;
}
