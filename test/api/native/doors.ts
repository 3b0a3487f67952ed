// What the tests of doors share: tickets, and WebSockets as pages and programs open them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket as Client } from 'ws';
import { callApi, until } from '../../support/berth.ts';

/** A ticket as it is shown. */
export interface Ticket {
  ticket: string;
  expiresAt: string;
  url: string;
}

/** Makes a ticket. */
export async function ticketFor(
  at: { url: string },
  key: string,
  instance: string,
  body: { door: string; exec?: object },
): Promise<Ticket> {
  const path = `/berth/v1/instances/${instance}/tickets`;
  const answer = await callApi<Ticket>(at.url, key, 'POST', path, body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
}

/** A WebSocket that a test has opened, or that was refused. */
export class Opened {
  readonly socket: Client;
  /** What has come, as text. */
  heard = '';
  /** Text messages that have come. */
  readonly news: Record<string, unknown>[] = [];
  end: { code: number; reason: string } | null = null;
  /** The answer to one that was not let in. */
  refusal: { status: number; type: string; body: { code: string; detail: string } } | null = null;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new Client(url.replace(/^http/, 'ws'), { headers });
    this.socket.on('error', () => {});
    this.socket.on('message', (data, isBinary) => {
      if (isBinary) this.heard += String(data);
      else this.news.push(JSON.parse(String(data)));
    });
    this.socket.on('close', (code, reason) => {
      this.end = { code, reason: String(reason) };
    });
    this.socket.on('unexpected-response', async (_request, response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      const type = response.headers['content-type'] ?? '';
      this.refusal = { status: response.statusCode ?? 0, type, body: JSON.parse(text) };
      this.socket.terminate();
    });
  }

  /** Waits until it is open. */
  async opened(): Promise<this> {
    if (this.socket.readyState === Client.CONNECTING) await Promise.race([once(this.socket, 'open'), this.refused()]);
    assert.equal(this.refusal, null, JSON.stringify(this.refusal));
    return this;
  }

  /** Waits until it is refused with an answer; one that was let in may be closed again by now. */
  async refused(): Promise<NonNullable<Opened['refusal']>> {
    await until(
      'the WebSocket is refused or open',
      async () => this.refusal !== null || this.socket.readyState !== Client.CONNECTING,
    );
    return this.refusal ?? { status: 101, type: '', body: { code: '', detail: '' } };
  }

  /** Waits until something has come. */
  async hears(text: string): Promise<void> {
    await until(`${JSON.stringify(text)} is heard`, async () => this.heard.includes(text)).catch((error: Error) => {
      throw new Error(`${error.message}; heard ${JSON.stringify(this.heard.slice(-300))}, ${JSON.stringify(this.end)}`);
    });
  }

  /** Waits until it is closed. */
  async ended(): Promise<{ code: number; reason: string }> {
    await until('the WebSocket is closed', async () => this.end !== null);
    return this.end ?? assert.fail();
  }

  say(text: string): void {
    this.socket.send(Buffer.from(text));
  }

  /** Leaves, and waits for that. */
  async leave(): Promise<void> {
    this.socket.close();
    await this.ended();
  }
}
