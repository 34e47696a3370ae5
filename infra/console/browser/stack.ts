// A `wallet up` of a test's own, and what a test asks of it past the page: the API, and the table by the AWS protocol.
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, openSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

export const ROOT = new URL('../../../', import.meta.url).pathname;
const WALLET = process.env.WALLET ?? `${ROOT}target/debug/wallet`;

export type Json = Record<string, any>;
export type Stack = Awaited<ReturnType<typeof up>>;

/** A token that the stack accepts. */
export function token(sub: string, scope: string): string {
  return execFileSync(WALLET, ['token', '--sub', sub, '--scope', scope], { encoding: 'utf8' }).trim();
}

/** A request with headers of which a browser's `fetch` would not let go. */
export function raw(url: string, headers: Record<string, string>, method = 'GET'): Promise<IncomingMessage & { text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, async (response) => {
      let text = '';
      for await (const part of response.setEncoding('utf8')) text += part;
      resolve(Object.assign(response, { text }));
    });
    sent.once('error', reject).end();
  });
}

/** Starts a command that serves; resolves once it has printed a line that begins with each of `words`, which took it `took` milliseconds. */
export async function serve(args: string[], words: string[]) {
  const began = performance.now();
  mkdirSync(`${ROOT}target/console`, { recursive: true });
  const log = openSync(`${ROOT}target/console/servers.log`, 'a');
  const child = spawn(WALLET, args, { stdio: ['ignore', 'pipe', log], cwd: ROOT });
  const said: Record<string, string> = {};
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`wallet ${args.join(' ')} ended with ${code}`)));
    createInterface(child.stdout!).on('line', (line) => {
      const [word = '', ...rest] = line.split(' ');
      if (words.includes(word)) said[word] = rest.join(' ');
      if (words.every((each) => each in said)) resolve();
    });
  });
  const took = performance.now() - began;
  const stop = async () => {
    if (child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  };
  return { said, took, stop };
}

/** `wallet up`, and ways into it. */
export async function up(...args: string[]) {
  const { said, took, stop } = await serve(['up', ...(args.includes('--port') ? [] : ['--port', '0']), ...args], ['dynamodb', 'ready', 'console']);
  const url = said.ready!;
  const bearer = new URLSearchParams(new URL(said.console!).hash.slice(1)).get('token')!;

  async function ask(path: string, body?: Json, headers: Record<string, string> = {}) {
    const response = await fetch(url + path, {
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(body && { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Json };
  }

  /** What must be answered with success. */
  async function api(path: string, body?: Json, headers?: Record<string, string>): Promise<Json> {
    const answer = await ask(path, body, headers);
    if (answer.status >= 300) throw new Error(`${path} answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  return {
    url,
    bearer,
    took,
    stop,
    ask,
    api,
    /** As `up` prints it. */
    console: said.console!,
    /** The console's address for somebody who looks after these owners. */
    address: (...owners: string[]) => `${url}/console#token=${bearer}&owners=${owners.join(',')}`,

    /** A wallet of `owner`, with money in it. */
    async open(owner: string, amount?: string, terms: Json = {}): Promise<string> {
      const wallet = await api('/v1/wallets', { currency: 'EUR', owner, ...terms });
      if (amount) await api(`/v1/wallets/${wallet.id}/deposits`, { amount, currency: 'EUR', reference: `to ${owner}` });
      return wallet.id;
    },

    wallet: (id: string) => api(`/v1/wallets/${id}`),

    /** Counts the movements that are published from now on. */
    async listen() {
      const over = new AbortController();
      const response = await fetch(`${url}/v1/events`, { headers: { authorization: `Bearer ${bearer}` }, signal: over.signal });
      const heard = { count: 0, stop: () => over.abort() };
      (async () => {
        for await (const line of createInterface(Readable.fromWeb(response.body as ReadableStream))) heard.count += Number(line.startsWith('data'));
      })().catch(() => {});
      return heard;
    },

    /** A call of DynamoDB's own protocol to the embedded database, past all rules of the ledger. */
    async dynamodb(operation: string, body: Json): Promise<Json> {
      const { table } = await api('/_local');
      const response = await fetch(said.dynamodb!, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': `DynamoDB_20120810.${operation}`,
          'x-amz-date': '20260101T000000Z',
          authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
        },
        body: JSON.stringify({ TableName: table, ...body }),
      });
      const answer = (await response.json()) as Json;
      if (!response.ok) throw new Error(`${operation}: ${JSON.stringify(answer)}`);
      return answer;
    },
  };
}
