// Berth's TypeScript client: the market, the calls of a VM's life and the event feed, typed, on nothing but fetch. It bounds every
// call, repeats what may be repeated, and turns every refusal into one error class; what the answers mean is the caller's
// business.

import { setTimeout as sleep } from 'node:timers/promises';
import type {
  BerthEvent,
  Constraints,
  DefaultImage,
  DeployedVm,
  DeployRequest,
  Estimate,
  ListedDatacenter,
  MarketHardware,
  Offer,
  SshKey,
  Vm,
  VmStatus,
  VmUpdate,
} from './types.ts';

export type * from './types.ts';

/** Every call is answered from a database in milliseconds; a server that takes this long is stuck. */
const callTimeoutMs = 30_000;
/** A call that may be repeated is tried this often in all. */
const attemptsMax = 4;
const retryMsMin = 200;
/** The longest pause between two attempts, also where the server asks for a longer one. */
const retryMsMax = 5_000;
/** As many offers as one answer holds. */
const offersPageMax = 100;
/** Answers after which the same call may succeed. */
const retryStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** The event feed is asked this often while it has news, and ever less often while it has none. */
const followMsMin = 200;
const followMsMax = 1_000;

/** A call that was refused, or not answered at all: then `status` is 0. The message is for people. */
export class BerthApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BerthApiError';
    this.status = status;
  }
}

/** Where Berth is, and who is asking. */
export interface ClientOptions {
  /** Such as `http://127.0.0.1:8080`. */
  url: string;
  apiKey: string;
  /** In place of the global one. */
  fetch?: typeof globalThis.fetch;
}

interface Call {
  query?: Record<string, string | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  /** Whether doing it twice is the same as doing it once. */
  repeatable: boolean;
  signal?: AbortSignal | undefined;
}

/** A client of one Berth for one account. Every method throws {@link BerthApiError}, or the reason of an aborted signal. */
export class BerthClient {
  readonly #url: string;
  readonly #apiKey: string;
  readonly #fetch: typeof globalThis.fetch;

  constructor({ url, apiKey, fetch = globalThis.fetch }: ClientOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#apiKey = apiKey;
    this.#fetch = fetch;
  }

  /**
   * Deploys VMs, all or none.
   * @param options.idempotencyKey makes a repeat answer the same and deploy nothing; only with one is the call repeated
   */
  async deploy(request: DeployRequest, options: { idempotencyKey?: string } = {}): Promise<DeployedVm[]> {
    const { idempotencyKey } = options;
    return (await this.#call('POST', '/vms/v3', {
      body: request,
      repeatable: idempotencyKey !== undefined,
      ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
    })) as DeployedVm[];
  }

  /** The account's VMs, oldest first. */
  async listVms(): Promise<Vm[]> {
    return (await this.#call('GET', '/vms/v3', { repeatable: true })) as Vm[];
  }

  /** The status of those of these VMs that exist. */
  async vmStatuses(ids: readonly string[]): Promise<VmStatus[]> {
    const query = { ids: ids.join(',') };
    return (await this.#call('GET', '/vms/v3/status', { query, repeatable: true })) as VmStatus[];
  }

  /** Renames VMs or replaces their open ports, all or none. */
  async updateVms(updates: readonly VmUpdate[]): Promise<void> {
    await this.#call('PATCH', '/vms/v3', { body: { updates }, repeatable: true });
  }

  /**
   * Deletes VMs with their disks, all or none. It is not repeated by itself: after an answer that was lost a repeat
   * would be refused, because the VMs are being deleted.
   * @returns the ids of the VMs that are being deleted
   */
  async deleteVms(ids: readonly string[]): Promise<string[]> {
    const answer = await this.#call('DELETE', '/vms/v3', { body: { vmIds: ids }, repeatable: false });
    return (answer as { removed_ids: string[] }).removed_ids;
  }

  /** The OS images of the catalog. */
  async defaultImages(): Promise<DefaultImage[]> {
    return (await this.#call('GET', '/vms/v3/default_images', { repeatable: true })) as DefaultImage[];
  }

  /**
   * What can be deployed now, cheapest first: a hundred offers at most, and further ones on further pages.
   * @param page counted from 1
   */
  async searchOffers(constraints: Constraints = {}, page = 1): Promise<Offer[]> {
    const query = page === 1 ? {} : { page: String(page), per_page: String(offersPageMax) };
    return (await this.#call('POST', '/marketplace/offers', { query, body: constraints, repeatable: true })) as Offer[];
  }

  /** What a deployment would cost now; throws when it would find no place. */
  async estimate(request: { constraints?: Constraints | null; instances: number }): Promise<Estimate> {
    return (await this.#call('POST', '/vms/v3/estimate', { body: request, repeatable: true })) as Estimate;
  }

  /** The sizes that are sold, smallest first. */
  async basicConfigurations(): Promise<string[]> {
    return (await this.#call('GET', '/marketplace/basic_configurations', { repeatable: true })) as string[];
  }

  /** The countries in which there are machines. */
  async countries(): Promise<string[]> {
    return (await this.#call('GET', '/marketplace/countries', { repeatable: true })) as string[];
  }

  /** The hardware that can be asked for. */
  async hardware(): Promise<MarketHardware> {
    return (await this.#call('GET', '/marketplace/hardware', { repeatable: true })) as MarketHardware;
  }

  /** The datacenters. */
  async datacenters(): Promise<ListedDatacenter[]> {
    return (await this.#call('GET', '/v1/marketplace/datacenters', { repeatable: true })) as ListedDatacenter[];
  }

  /** The account's registered SSH keys, oldest first. */
  async sshKeys(): Promise<SshKey[]> {
    return (await this.#call('GET', '/ssh_keys', { repeatable: true })) as SshKey[];
  }

  /** Registers a public SSH key; one that is registered already is answered as it is, under the name it has. */
  async registerSshKey(key: { name?: string; publicKey: string }): Promise<SshKey> {
    return (await this.#call('POST', '/ssh_keys', { body: key, repeatable: true })) as SshKey;
  }

  /** Forgets a registered SSH key. It is not repeated by itself: after an answer that was lost it would be unknown. */
  async deleteSshKey(fingerprint: string): Promise<void> {
    await this.#call('DELETE', '/ssh_keys', { body: { fingerprint }, repeatable: false });
  }

  /**
   * Events, oldest first, at most a hundred; the rest is behind the last one's cursor.
   * @param filter `instance` leaves out those of others, `after` those up to a cursor
   */
  async events(
    filter: { instance?: string | undefined; after?: string | undefined; signal?: AbortSignal } = {},
  ): Promise<BerthEvent[]> {
    const { instance, after, signal } = filter;
    const answer = await this.#call('GET', '/berth/v1/events', {
      query: { instance, cursor: after },
      repeatable: true,
      signal,
    });
    const { items } = answer as { items: (Omit<BerthEvent, 'instanceId'> & { instance: string | null })[] };
    // The native API's ids say what they are; the ids of VMs here are Fluence's.
    return items.map(({ instance: id, ...event }) => ({ ...event, instanceId: id && `0x${id.replace(/^ins_/, '')}` }));
  }

  /**
   * Events from the first one on as they happen, each once, until the signal ends it.
   * @param instance leaves out those of other VMs; undefined tells all of the account
   */
  async *followEvents(instance: string | undefined, signal: AbortSignal): AsyncGenerator<BerthEvent, void, undefined> {
    let after: string | undefined;
    let pauseMs = followMsMin;
    try {
      while (!signal.aborted) {
        const events = await this.events({ instance, after, signal });
        yield* events;
        after = events.at(-1)?.cursor ?? after;
        pauseMs = events.length > 0 ? followMsMin : Math.min(pauseMs * 1.5, followMsMax);
        await sleep(pauseMs, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #call(method: string, path: string, call: Call): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      let failure: BerthApiError;
      let pauseMs = retryMsMin * 2 ** (attempt - 1);
      try {
        const response = await this.#send(method, path, call);
        const text = await response.text();
        if (response.ok) return text === '' ? null : JSON.parse(text);
        failure = new BerthApiError(
          response.status,
          messageOf(text) ?? `${method} ${path} was answered ${response.status}.`,
        );
        pauseMs = Math.max(pauseMs, (Number(response.headers.get('retry-after')) || 0) * 1_000);
      } catch (error) {
        call.signal?.throwIfAborted();
        failure = new BerthApiError(0, `${this.#url} does not answer ${method} ${path}: ${reasonOf(error)}.`, {
          cause: error,
        });
      }
      const mayHelp = failure.status === 0 || retryStatuses.has(failure.status);
      if (!call.repeatable || !mayHelp || attempt === attemptsMax) throw failure;
      await sleep(Math.min(pauseMs, retryMsMax), undefined, call.signal ? { signal: call.signal } : {});
    }
  }

  #send(method: string, path: string, { query = {}, body, headers, signal }: Call): Promise<Response> {
    const url = new URL(this.#url + path);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    const timeout = AbortSignal.timeout(callTimeoutMs);
    return this.#fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${this.#apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  }
}

/** What an error's body says: Fluence's calls have it in `error`, Berth's own in `detail`. */
function messageOf(text: string): string | undefined {
  try {
    const { error, detail } = JSON.parse(text) as { error?: unknown; detail?: unknown };
    return [error, detail].find((message) => typeof message === 'string');
  } catch {
    return undefined;
  }
}

/** fetch hides the reason behind "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? (error as Error).message;
}
