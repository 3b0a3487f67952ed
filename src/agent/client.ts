// The agent's side of the agent's API. Every call has a bound; a server that is away is not an error here but a fact that
// the caller retries.

import type { Enrolled, Inventory } from '../api/agent/contract/inventory.ts';
import type { Assignments } from '../api/agent/contract/order.ts';
import { pollSecondsMax } from '../api/agent/contract/order.ts';
import type { Report } from '../api/agent/contract/report.ts';
import type { Samples } from '../api/agent/contract/sample.ts';
import type { ImagingSecrets, RegistryAuth } from '../api/agent/contract/secret.ts';
import type { StreamAnswer, StreamBatch } from '../api/agent/contract/stream.ts';

/** With the pause between two reports it stays below the silence after which a host counts as unreachable. */
const requestTimeoutMs = 10_000;
const pollTimeoutMs = (pollSecondsMax + 10) * 1000;

/** The server answered with an error. */
export class ServerRefused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ServerRefused';
    this.status = status;
  }
}

/** Talks to a server as one host. Of several equal servers it stays with one until that one fails. */
export class ServerClient {
  readonly #urls: readonly string[];
  #current = 0;
  /** Aborted when the current server is given up: a poll would wait for an answer from it much longer than a report. */
  #staying = new AbortController();
  #credential = '';

  /** @param urls the servers', without paths; at least one */
  constructor(urls: readonly string[]) {
    this.#urls = urls.map((url) => url.replace(/\/+$/, ''));
  }

  /** The servers', without paths. */
  get urls(): readonly string[] {
    return this.#urls;
  }

  /** Uses this credential from now on. */
  setCredential(credential: string): void {
    this.#credential = credential;
  }

  /** Exchanges a one-time token for a credential. @throws ServerRefused, or fetch's errors when there is no answer */
  enrol(token: string, inventory: Inventory): Promise<Enrolled> {
    return this.#call('POST', '/agent/v1/enrol', requestTimeoutMs, undefined, { token, inventory });
  }

  /** What changed since a revision, as soon as something does; everything when `after` is undefined. */
  poll(after: number | undefined, signal: AbortSignal): Promise<Assignments> {
    const query = after === undefined ? '' : `?after=${after}&wait=${pollSecondsMax}`;
    return this.#call('GET', `/agent/v1/assignments${query}`, pollTimeoutMs, signal);
  }

  /** The login that goes with a container's image; null where none does. */
  async registryAuth(instanceId: string): Promise<RegistryAuth | null> {
    const path = `/agent/v1/instances/${instanceId}/registry-auth`;
    return (await this.#call<{ auth: RegistryAuth | null }>('GET', path, requestTimeoutMs)).auth;
  }

  /** What the guest of a newly imaged VM is told; null where that is nothing secret. */
  async imagingSecrets(instanceId: string): Promise<ImagingSecrets | null> {
    const path = `/agent/v1/instances/${instanceId}/imaging-secrets`;
    return (await this.#call<{ secrets: ImagingSecrets | null }>('GET', path, requestTimeoutMs)).secrets;
  }

  /** Hands in a report. */
  async report(report: Report, signal: AbortSignal): Promise<void> {
    await this.#call('POST', '/agent/v1/reports', requestTimeoutMs, signal, report);
  }

  /** Hands in what was measured. */
  async sendSamples(samples: Samples, signal: AbortSignal): Promise<void> {
    await this.#call('POST', '/agent/v1/samples', requestTimeoutMs, signal, samples);
  }

  /** Hands in a part of a stream. The answer comes late where its reader is slow. */
  sendBatch(streamId: string, batch: StreamBatch, signal: AbortSignal): Promise<StreamAnswer> {
    return this.#call('POST', `/agent/v1/streams/${streamId}`, requestTimeoutMs, signal, batch);
  }

  async #call<Answer>(
    method: string,
    path: string,
    timeoutMs: number,
    signal?: AbortSignal,
    body?: object,
  ): Promise<Answer> {
    const asked = this.#current;
    try {
      return await this.#ask(this.#urls[asked] ?? '', method, path, timeoutMs, signal, body);
    } catch (error) {
      const refused = error instanceof ServerRefused && error.status < 500;
      if (!refused && !signal?.aborted) this.#giveUp(asked);
      throw error;
    }
  }

  /** The next attempt, which is the caller's, goes to the next server; calls that fail together move on by one. */
  #giveUp(asked: number): void {
    if (this.#urls.length === 1 || this.#current !== asked) return;
    this.#current = (asked + 1) % this.#urls.length;
    this.#staying.abort();
    this.#staying = new AbortController();
  }

  async #ask<Answer>(
    url: string,
    method: string,
    path: string,
    timeoutMs: number,
    signal?: AbortSignal,
    body?: object,
  ): Promise<Answer> {
    const bound = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(this.#credential && { authorization: `Bearer ${this.#credential}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      body: body ? JSON.stringify(body) : null,
      signal: AbortSignal.any([bound, this.#staying.signal, ...(signal ? [signal] : [])]),
      redirect: 'error',
    });
    const text = await response.text();
    if (!response.ok)
      throw new ServerRefused(
        response.status,
        `${method} ${path.split('?', 1)[0]} answered ${response.status}: ${text.slice(0, 300)}`,
      );
    return JSON.parse(text) as Answer;
  }
}
