// Images of containers. What is there already is used as it is; what a login was needed for is kept under a name of the one
// container that brought it, so that it is nobody else's.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { RegistryAuth } from '../../api/agent/contract.ts';
import {
  defaultRegistry,
  type ImageReference,
  onRegistry,
  parseImageReference,
  registryEndpoint,
  wholeReference,
} from '../../model/image-reference.ts';
import { isPublicAddress } from '../../model/public-address.ts';
import { Turns } from '../../model/turns.ts';
import { DriverFailure, type Progress } from '../driver.ts';
import type { Engine } from './engine.ts';
import { privateImageOf } from './names.ts';
import { PullFailure, pullImage } from './pull.ts';

/** What the image store is made of. */
export interface ImageParts {
  engine: Engine;
  /** `HOST:PORT` of registries that may have a private address. */
  allowHosts: readonly string[];
  pullDeadlineMs: number;
  /** The login that goes with a container's image. */
  registryAuth(instanceId: string): Promise<RegistryAuth | null>;
}

/** What an image is wanted for. */
interface Wanted {
  instanceId: string;
  image: string;
  hasRegistryAuth: boolean;
}

/** The Engine's images, as containers use them. */
export class Images {
  readonly #parts: ImageParts;
  readonly #allowed: ReadonlySet<string>;
  /** A name is not looked at while another container is just bringing an image of that name for itself. */
  readonly #turns = new Map<string, Turns>();

  constructor(parts: ImageParts) {
    this.#parts = parts;
    this.#allowed = new Set(parts.allowHosts);
  }

  /**
   * Makes sure that a container's image is there.
   * @returns what to make the container of, and whether it was pulled for it just now
   * @throws DriverFailure
   */
  async ensure(
    { instanceId, image, hasRegistryAuth }: Wanted,
    tell: (step: Progress) => void,
    signal: AbortSignal,
  ): Promise<{ name: string; isNew: boolean }> {
    const reference = parseImageReference(image);
    if (!reference) throw new DriverFailure('IMAGE_NOT_FOUND', `${image} is no reference of an image.`, true);
    const own = privateImageOf(instanceId);
    if (await this.#isThere(own)) return { name: own, isNew: false };
    const auth = hasRegistryAuth ? await this.#parts.registryAuth(instanceId) : null;
    if (auth && (reference.registry === null || reference.registry === auth.server)) {
      try {
        await this.#pullPrivately(onRegistry(reference, auth.server), own, auth, tell, signal);
        return { name: own, isNew: true };
      } catch (error) {
        // A name without a registry may also mean the public image, for which the login was not meant.
        const isPublic = reference.registry === null && error instanceof PullFailure && error.isElsewhere;
        if (!isPublic) throw error;
      }
    }
    const name = wholeReference(reference);
    return this.#inTurn(name, async () => {
      if (await this.#isThere(name)) return { name, isNew: false };
      await this.#checkHost(reference);
      await pullImage(this.#parts.engine, name, { auth: null, deadlineMs: this.#parts.pullDeadlineMs, tell, signal });
      return { name, isNew: true };
    });
  }

  /** Pulls with a login, and gives the image to its container alone. */
  async #pullPrivately(
    reference: ImageReference,
    own: string,
    auth: RegistryAuth,
    tell: (step: Progress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { engine, pullDeadlineMs } = this.#parts;
    const name = wholeReference(reference);
    await this.#inTurn(name, async () => {
      const before = await this.#idOf(name);
      await this.#checkHost(reference);
      await pullImage(engine, name, { auth, deadlineMs: pullDeadlineMs, tell, signal });
      const [repo = '', tag = ''] = own.split(':');
      await engine.ask((docker) => docker.getImage(name).tag({ repo, tag }));
      // What was there without a login before stays for everybody.
      if (before !== (await this.#idOf(name))) await this.remove(name);
    });
  }

  /** Removes a name, and what bears no other and is not in use. */
  async remove(name: string): Promise<void> {
    await this.#parts.engine.find((docker) => docker.getImage(name).remove());
  }

  async #isThere(name: string): Promise<boolean> {
    return (await this.#idOf(name)) !== undefined;
  }

  async #idOf(name: string): Promise<string | undefined> {
    const found = await this.#parts.engine.find((docker) => docker.getImage(name).inspect());
    return found?.Id;
  }

  /**
   * A registry's name must lead to the internet, unless the operator allows it: the Engine pulls from the host's own network.
   * @throws DriverFailure
   */
  async #checkHost(reference: ImageReference): Promise<void> {
    const registry = reference.registry ?? defaultRegistry;
    const { hostname, endpoint } = registryEndpoint(registry);
    if (this.#allowed.has(endpoint)) return;
    const found = isIP(hostname) ? [{ address: hostname }] : await lookup(hostname, { all: true }).catch(() => []);
    const bad = found.find(({ address }) => !isPublicAddress(address));
    if (!bad) return;
    const message = `The registry ${registry} is at ${bad.address}, which is not a public address; ask the operator to allow ${endpoint}.`;
    throw new DriverFailure('IMAGE_NOT_FOUND', message, true);
  }

  #inTurn<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const turns = this.#turns.get(name) ?? new Turns(1);
    this.#turns.set(name, turns);
    return turns.run(work);
  }
}
