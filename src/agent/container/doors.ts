// The ways into a container beside its published TCP ports: its names at the ingress, and SSH.

import { sshPortOf } from '../../model/container.ts';
import { ingressName } from '../../model/ingress.ts';
import { DriverFailure, type Progress } from '../driver.ts';
import type { Ingress } from '../ingress/caddy.ts';
import type { ContainerPlace } from '../ssh/door.ts';
import type { SshFront } from '../ssh/front.ts';
import type { ContainerSpec } from './driver.ts';

/** Opens and closes the ways into containers. */
export class Doors {
  readonly #ingress: Ingress;
  readonly #ssh: SshFront;
  readonly #places = new Map<string, ContainerPlace>();

  constructor(ingress: Ingress, ssh: SshFront) {
    this.#ingress = ingress;
    this.#ssh = ssh;
  }

  /**
   * Makes these the ways into a container.
   * @param ip its address in its own network
   * @throws DriverFailure when it has HTTPS ports and the host no ingress
   */
  async open(spec: ContainerSpec, ip: string, tell: (step: Progress) => void): Promise<void> {
    const { instanceId, ports, sshKeys, address } = spec;
    const https = ports.filter(({ protocol }) => protocol === 'https');
    const { place } = this.#ingress;
    if (https.length > 0 && place === null) {
      const message = 'This machine serves no HTTPS ports: it has no Caddy.';
      throw new DriverFailure('CONTAINER_CREATE_FAILED', message, true);
    }
    if (place !== null) {
      const own = https.map(({ hostPort }): [string, string] => {
        return [ingressName(instanceId, hostPort, place.domain), `${ip}:${hostPort}`];
      });
      await this.#ingress.change((routes) => new Map([...without(routes, instanceId), ...own]));
    }
    if (sshKeys.length > 0) this.#places.set(instanceId, { address, port: sshPortOf(ports), keys: sshKeys });
    else this.#places.delete(instanceId);
    const failure = (await this.#ssh.apply(this.#places)).get(instanceId);
    if (failure) tell({ kind: 'container.ssh', message: `SSH can't be reached: ${failure.message}.` });
  }

  /** Closes every way into a container. */
  async close(instanceId: string): Promise<void> {
    await this.#ingress.change((routes) => new Map(without(routes, instanceId)));
    if (this.#places.delete(instanceId)) await this.#ssh.apply(this.#places);
  }
}

/** The names of all other instances: of each the part between the first hyphen and the first dot is its own. */
function without(routes: ReadonlyMap<string, string>, instanceId: string): [string, string][] {
  const own = ingressName(instanceId, 0, '').slice(1);
  return [...routes].filter(([name]) => !name.slice(name.indexOf('-')).startsWith(own));
}
