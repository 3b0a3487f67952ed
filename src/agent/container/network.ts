// Each container has a network of its own: a bridge with room for two addresses, out of a range that no two share. Its
// container always has the same address there, so that what leads to it need not be changed when it starts again.

import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { formatIpv4, type Ipv4Range, parseIpv4 } from '../../model/cidr.ts';
import { DriverFailure } from '../driver.ts';
import { type Engine, EngineRefused } from './engine.ts';
import { bridgeOf, instanceLabel, nameOf, ownerLabel } from './names.ts';

/** A bridge needs its own address, the container's, and two that name the network. */
const addressesEach = 8;
const prefixEach = 29;
/** Neighbours on the machine may pick the same part at the same moment; each try picks another, and another bridge. */
const triesMax = 20;

/** A container's place in its network. */
export interface NetworkPlace {
  name: string;
  /** The Engine's id of it. */
  id: string;
  /** The container's address. */
  ip: string;
}

/** Makes and removes containers' networks. */
export class Networks {
  readonly #engine: Engine;
  readonly #owner: string;
  readonly #range: Ipv4Range;

  /** @param range which networks are cut from; private, and used for nothing else on this machine */
  constructor(engine: Engine, owner: string, range: Ipv4Range) {
    this.#engine = engine;
    this.#owner = owner;
    this.#range = range;
  }

  /** The container's address; undefined while it has no network. */
  async find(instanceId: string): Promise<NetworkPlace | undefined> {
    const name = nameOf(instanceId);
    const found = await this.#engine.find((docker) => docker.getNetwork(name).inspect());
    if (found?.Labels?.[ownerLabel] !== this.#owner) return undefined;
    const [config] = found?.IPAM?.Config ?? [];
    const first = config?.Subnet && parseIpv4(config.Subnet.split('/')[0] ?? '');
    return typeof first === 'number' ? { name, id: found.Id, ip: formatIpv4(first + 2) } : undefined;
  }

  /** Makes sure of the network. @throws DriverFailure when there is no room for one more */
  async ensure(instanceId: string): Promise<NetworkPlace> {
    const known = await this.find(instanceId);
    if (known) return known;
    const parts = Math.floor(this.#range.count / addressesEach);
    const start = Number.parseInt(instanceId.slice(2, 10), 16) % parts;
    const taken = takenHere();
    for (let step = 0, tries = 0; step < parts && tries < triesMax; step += 1) {
      const first = this.#range.first + ((start + step) % parts) * addressesEach;
      if (taken.some((address) => address >= first && address < first + addressesEach)) continue;
      const bridge = bridgeOf(instanceId, tries);
      tries += 1;
      const id = await this.#make(instanceId, bridge, first);
      if (id === null) continue;
      await askOften(bridge);
      return { name: nameOf(instanceId), id, ip: formatIpv4(first + 2) };
    }
    throw new DriverFailure('CONTAINER_CREATE_FAILED', 'The machine has no network left for the container.', false);
  }

  /** Makes it, with this first address; null when that part of the range is taken, or the bridge's name. */
  async #make(instanceId: string, bridge: string, first: number): Promise<string | null> {
    try {
      const { id } = await this.#engine.ask((docker) =>
        docker.createNetwork({
          Name: nameOf(instanceId),
          CheckDuplicate: true,
          Driver: 'bridge',
          EnableIPv6: false,
          IPAM: {
            Driver: 'default',
            Config: [{ Subnet: `${formatIpv4(first)}/${prefixEach}`, Gateway: formatIpv4(first + 1) }],
          },
          Options: { 'com.docker.network.bridge.name': bridge },
          Labels: { [instanceLabel]: instanceId, [ownerLabel]: this.#owner },
        }),
      );
      return id;
    } catch (error) {
      // An Engine that was killed while it made a network may know its bridge for ever, and the network no more.
      if (error instanceof EngineRefused && /overlap|same bridge name/i.test(error.message)) return null;
      throw error;
    }
  }

  /** Removes the network; where there is none of this agent's, that is done. */
  async remove(instanceId: string): Promise<void> {
    if (!(await this.find(instanceId))) return;
    await this.#engine.find((docker) => docker.getNetwork(nameOf(instanceId)).remove());
  }
}

/** Every IPv4 address that this machine has at the moment: another Engine may have cut the same part. */
const takenHere = () =>
  Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).flatMap(({ address, family }) => (family === 'IPv4' ? (parseIpv4(address) ?? []) : [])),
  );

/**
 * Whoever knocks at a published port before its container is on the bridge makes the kernel ask for the container's address
 * in vain, and ask again a second later; until then nobody is let through, though the container may long be there.
 */
async function askOften(bridge: string): Promise<void> {
  const askAgainMs = '20';
  // An Engine elsewhere has its bridges elsewhere.
  await writeFile(`/proc/sys/net/ipv4/neigh/${bridge}/retrans_time_ms`, askAgainMs).catch(() => {});
}
