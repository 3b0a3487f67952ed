// Calls at a set rate, whether or not those before have been answered, each timed from the moment at which it should have been sent.

import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Sends calls to one server over kept connections, and counts what went wrong. */
export class Caller {
  errors = 0;
  /** What answers were made of in all. */
  bytes = 0;
  readonly #url: string;
  readonly #token: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** One call; a body is posted. @returns when its answer was there, in ms since `performance.timeOrigin` */
  call(path: string, body: string | null = null): Promise<number> {
    return new Promise((resolve) => {
      const headers = {
        authorization: `Bearer ${this.#token}`,
        ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
      };
      const options = { method: body === null ? 'GET' : 'POST', agent: this.#agent, headers };
      const sent = request(`${this.#url}${path}`, options, (response) => {
        if (response.statusCode !== 200) this.errors += 1;
        response.on('data', (chunk: Buffer) => {
          this.bytes += chunk.length;
        });
        response.on('end', () => resolve(performance.now()));
      });
      sent.on('error', () => {
        this.errors += 1;
        resolve(performance.now());
      });
      sent.end(body ?? undefined);
    });
  }

  /** Lets the connections go. */
  close(): void {
    this.#agent.destroy();
  }
}

/** Calls at a rate for some time. @returns how long each took, in ms */
export async function openLoop(ms: number, perSecond: number, one: () => Promise<number>): Promise<number[]> {
  const began = performance.now();
  const calls: Promise<number>[] = [];
  for (let due = began; due < began + ms; due += 1000 / perSecond) {
    const early = due - performance.now();
    if (early > 0) await sleep(early);
    calls.push(one().then((end) => end - due));
  }
  return Promise.all(calls);
}
