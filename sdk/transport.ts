// How calls are made: on nothing but fetch, so in Node, Deno, Bun and browsers alike. Every call is bounded in time. What failed for
// reasons of the moment is sent again, changes under one idempotency key, so that they are done once.

import { type BerthError, ConnectionError, errorOf, ForeignAnswerError } from './error.ts';
import type { Problem } from './generated/types.ts';
import { type Page, Pages } from './pages.ts';

/** Where Berth is, and who is asking. */
export interface TransportOptions {
  /** Such as `https://berth.example.com`. */
  url: string;
  /** An API key, or a session's token. Left out in a browser whose session is in a cookie. */
  apiKey?: string | undefined;
  /** In place of the global one. */
  fetch?: typeof globalThis.fetch;
  /** How long a call may take; 30 s unless given. */
  timeoutMs?: number;
  /** How often a call is tried in all; 4 times unless given. */
  attempts?: number;
}

/** What may be said of any call. */
export interface Options {
  /** Gives the call up. */
  signal?: AbortSignal | undefined;
}

/** What may be said of a call that changes something. */
export interface ChangeOptions extends Options {
  /** The same call under the same key is done once, for 24 hours. One is made for each call unless given. */
  idempotencyKey?: string | undefined;
  /** Answers as if it were done, and does nothing. */
  dryRun?: boolean | undefined;
  /** The ETag of what is to be changed, as {@link Transport.etagOf} tells it: refuses where it was changed since. */
  ifMatch?: string | undefined;
}

/** What is sent with a call. */
export interface Sent {
  query?: Record<string, unknown>;
  body?: unknown;
}

const timeoutMsDefault = 30_000;
const attemptsDefault = 4;
const retryMsMin = 200;
/** The longest pause between two attempts, also where the server asks for a longer one. */
const retryMsMax = 10_000;
const retryStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Makes the calls of one caller. */
export class Transport {
  readonly url: string;
  readonly #apiKey: string | undefined;
  readonly #fetch: typeof globalThis.fetch;
  readonly #timeoutMs: number;
  readonly #attempts: number;
  readonly #tags = new WeakMap<object, string>();

  constructor({ url, apiKey, fetch, timeoutMs = timeoutMsDefault, attempts = attemptsDefault }: TransportOptions) {
    // Whoever has it from a call's address has the version in it, too.
    this.url = url.replace(/(\/berth\/v1)?\/*$/, '');
    this.#apiKey = apiKey;
    // A browser's fetch wants its window for `this`.
    this.#fetch = fetch ?? ((...given) => globalThis.fetch(...given));
    this.#timeoutMs = timeoutMs;
    this.#attempts = attempts;
  }

  /** Reads something. @throws BerthError, or the reason of the aborted signal */
  async read<Result>(path: string, sent: Sent, { signal }: Options): Promise<Result> {
    return (await this.#call('GET', path, sent, {}, signal)) as Result;
  }

  /** A list that comes in pages. */
  pages<Item>(path: string, { query }: Sent, options: Options): Pages<Item> {
    return new Pages((cursor) => this.read<Page<Item>>(path, { query: { ...query, cursor } }, options));
  }

  /** Changes something. @throws BerthError, or the reason of the aborted signal */
  async change<Result>(method: string, path: string, { query, body }: Sent, options: ChangeOptions): Promise<Result> {
    const { idempotencyKey = crypto.randomUUID(), dryRun, ifMatch, signal } = options;
    const headers = { 'idempotency-key': idempotencyKey, ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) };
    const sent = { query: dryRun ? { ...query, dryRun } : { ...query }, body };
    return (await this.#call(method, path, sent, headers, signal)) as Result;
  }

  /** The ETag that came with something that was read or changed. */
  etagOf(read: object): string | undefined {
    return this.#tags.get(read);
  }

  /** Sends one request as it is, for what is no JSON. */
  async send(
    method: string,
    path: string,
    { query = {}, body }: Sent,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) search.set(name, Array.isArray(value) ? value.join(',') : String(value));
    }
    return this.#fetch(`${this.url}${path}${search.size > 0 ? `?${search}` : ''}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(this.#apiKey === undefined ? {} : { authorization: `Bearer ${this.#apiKey}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      ...(signal ? { signal } : {}),
    });
  }

  async #call(
    method: string,
    path: string,
    sent: Sent,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      let failure: BerthError;
      let pauseMs = retryMsMin * 2 ** (attempt - 1);
      try {
        const timeout = AbortSignal.timeout(this.#timeoutMs);
        const bounds = signal ? AbortSignal.any([signal, timeout]) : timeout;
        const response = await this.send(method, path, sent, headers, bounds);
        const text = await response.text();
        const body = jsonOf(text);
        const what = `${method} ${this.url}${path}`;
        if (response.ok && body !== notJson) return this.#take(response, body);
        failure = response.ok ? new ForeignAnswerError(what, response) : refusalOf(body, response, what);
        pauseMs = Math.max(pauseMs, (Number(response.headers.get('retry-after')) || 0) * 1_000);
      } catch (error) {
        signal?.throwIfAborted();
        const message = `${this.url} does not answer ${method} ${path}: ${reasonOf(error)}.`;
        failure = new ConnectionError(message, { cause: error });
      }
      const mayHelp = failure.status === 0 || retryStatuses.has(failure.status);
      if (!mayHelp || attempt >= this.#attempts) throw failure;
      await pause(Math.min(pauseMs, retryMsMax), signal);
    }
  }

  #take(response: Response, body: unknown): unknown {
    const tag = response.headers.get('etag');
    if (tag !== null && typeof body === 'object' && body !== null) this.#tags.set(body, tag);
    return body;
  }
}

const notJson = Symbol('no JSON');

/** What a body says; nothing where it is empty. */
function jsonOf(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return notJson;
  }
}

/** The error of an answer that is none of success. */
function refusalOf(body: unknown, response: Response, what: string): BerthError {
  const problem = (typeof body === 'object' ? body : null) as Partial<Problem> | null;
  const isOurs = typeof problem?.code === 'string' && typeof problem.detail === 'string';
  return isOurs
    ? errorOf({ ...(problem as Problem), status: response.status })
    : new ForeignAnswerError(what, response);
}

/** The error of an answer whose body nobody has read. @param what was asked, such as `GET https://...` */
export const errorOfResponse = async (response: Response, what: string): Promise<BerthError> =>
  refusalOf(jsonOf(await response.text()), response, what);

/** fetch hides the reason behind "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string };
  return cause?.code ?? cause?.message ?? message;
}

/** Waits. @throws the signal's reason */
export async function pause(forMs: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, forMs);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
