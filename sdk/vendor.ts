// Berth's TypeScript client for containers: machines, and the deployments on them, through the calls of Hiveon's vendors API.

import { BerthApiError } from './client.ts';

/** A machine that can be rented. Amounts are decimal strings in `currency` for one `unit`. */
export interface Machine {
  machine_id: string;
  status: 'available' | 'rented' | 'inactive';
  machine_prices: { id: string; amount: string; currency: string; unit: 'HOUR' | 'EPOCH' }[];
  hardware_specs: {
    cpu: { name: string; cores: number; threads: number };
    memory_gb: number;
    storage_gb: number;
    gpus: { name: string; count: number; memory_gb: number | null }[];
  };
}

/** What a container is to be. */
export interface DeploymentRequest {
  machine_id: string;
  machine_price_id: string;
  external_deployment_id?: string;
  ssh_pub_keys?: string[];
  container_config: {
    image: string;
    docker_auth?: { server: string; login: string; password: string };
    ports?: { host_port: number; protocol: 'PORT_PROTOCOL_TCP' | 'PORT_PROTOCOL_HTTPS' }[];
    startup_script?: string;
    environment_variables?: Record<string, string>;
  };
  metadata?: Record<string, string>;
}

/** A container, and where its ports are reached. */
export interface Deployment {
  deployment_id: string;
  status: 'STATUS_PENDING' | 'STATUS_RUNNING' | 'STATUS_STOPPING' | 'STATUS_STOPPED' | 'STATUS_FAILED';
  fail_reason: { code: number; message: string } | null;
  ports: {
    host_port: number;
    protocol: string;
    public_host: string | null;
    public_port: number | null;
    url: string | null;
  }[];
  ssh: { host: string; port: number; user: string } | null;
}

const callTimeoutMs = 30_000;

/** A client of the machines of one Berth. Every method throws {@link BerthApiError}. */
export class VendorClient {
  readonly #url: string;
  readonly #apiKey: string;

  /** @param url such as `http://127.0.0.1:8080` */
  constructor({ url, apiKey }: { url: string; apiKey: string }) {
    this.#url = url.replace(/\/+$/, '');
    this.#apiKey = apiKey;
  }

  /** Machines that fit a filter such as `machine_status:available,memory_size:24`. */
  async machines(filter = ''): Promise<Machine[]> {
    const query = new URLSearchParams({ filter, per_page: '100' });
    return (await this.#call<{ machines: Machine[] }>('GET', `?${query}`)).machines;
  }

  /** Starts a container. With an external id it may be called again: the same request is the same deployment. @returns its id */
  async start(request: DeploymentRequest): Promise<string> {
    return (await this.#call<{ deployment_id: string }>('POST', '/deployments/start', request)).deployment_id;
  }

  /** A deployment, by its id or its external id. */
  deployment(id: string): Promise<Deployment> {
    return this.#call('GET', `/deployments/${encodeURIComponent(id)}`);
  }

  /** Ends a deployment; one that is over stays as it is. */
  async stop(id: string): Promise<void> {
    await this.#call('POST', `/deployments/${encodeURIComponent(id)}/stop`, {});
  }

  async #call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const what = `${method} /vendors/v1/machines${path.split('?', 1)[0]}`;
    let response: Response;
    try {
      response = await fetch(`${this.#url}/vendors/v1/machines${path}`, {
        method,
        headers: { 'x-api-key': this.#apiKey, ...(body ? { 'content-type': 'application/json' } : {}) },
        body: body ? JSON.stringify(body) : null,
        signal: AbortSignal.timeout(callTimeoutMs),
      });
    } catch (error) {
      throw new BerthApiError(0, `${what} was not answered.`, { cause: error });
    }
    const answer = (await response.json().catch(() => ({}))) as Answer & { message?: string };
    if (response.ok) return answer;
    throw new BerthApiError(response.status, answer.message ?? `${what} answered ${response.status}.`);
  }
}
