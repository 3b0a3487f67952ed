// Images of containers. What is there already is used as it is, and what Berth has brought goes with the last container made
// of it. What a login was needed for is kept under a name of the one container that brought it, so that it is nobody else's.

import type { RegistryAuth } from '../../api/agent/contract/secret.ts';
import {
  defaultRegistry,
  type ImageReference,
  onRegistry,
  parseImageReference,
  wholeReference,
} from '../../model/image-reference.ts';
import { Turns } from '../../model/turns.ts';
import { DriverAway, DriverFailure, type Progress } from '../driver.ts';
import { type Engine, EngineRefused } from './engine.ts';
import type { Memories } from './memory.ts';
import { privateImageOf, privateImages } from './names.ts';
import { PullFailure, pullImage } from './pull.ts';
import type { RegistryGuard } from './registry-guard.ts';

/** What the image store is made of. */
export interface ImageParts {
  engine: Engine;
  memories: Memories;
  guard: RegistryGuard;
  pullDeadlineMs: number;
  /** The login that goes with a container's image. */
  registryAuth(instanceId: string): Promise<RegistryAuth | null>;
}

/** What an image is wanted for. */
export interface Wanted {
  instanceId: string;
  image: string;
  hasRegistryAuth: boolean;
}

/** The Engine's images, as containers use them. */
export class Images {
  readonly #parts: ImageParts;
  /**
   * By repository: its names are not looked at while another container is just bringing an image of it for itself alone, and
   * none is removed while a container is just being made of it.
   */
  readonly #turns = new Map<string, Turns>();

  constructor(parts: ImageParts) {
    this.#parts = parts;
  }

  /**
   * Makes sure that a container's image is there, and makes something of it.
   * @param make is given the image's name, which stays until it is done
   * @throws DriverFailure
   */
  async use(
    { instanceId, image, hasRegistryAuth }: Wanted,
    make: (name: string) => Promise<void>,
    tell: (step: Progress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const reference = parseImageReference(image);
    if (!reference) throw new DriverFailure('IMAGE_NOT_FOUND', `${image} is no reference of an image.`, true);
    if (reference.registry === defaultRegistry || reference.registry === null) {
      // On this machine these names are other containers' private images.
      if (reference.path.startsWith(privateImages))
        throw new DriverFailure('IMAGE_NOT_FOUND', `There is no image ${image}.`, true);
    }
    const own = privateImageOf(instanceId);
    if (await this.#isThere(own)) return make(own);
    const auth = hasRegistryAuth ? await this.#login(instanceId) : null;
    if (auth && (reference.registry === null || reference.registry === auth.server)) {
      try {
        await this.#pullPrivately(onRegistry(reference, auth.server), instanceId, auth, tell, signal);
        return await make(own);
      } catch (error) {
        // A name without a registry may also mean the public image, for which the login was not meant.
        const isPublic = reference.registry === null && error instanceof PullFailure && error.isElsewhere;
        if (!isPublic) throw error;
      }
    }
    await this.#usePublicly(reference, instanceId, make, tell, signal);
  }

  /** Lets go of what was brought for a container that is gone. */
  async release(instanceId: string): Promise<void> {
    const { memories } = this.#parts;
    const { pulledImage, privatePull } = memories.get(instanceId);
    if (privatePull) await this.#inTurn(privatePull.repository, () => this.#tidy(privatePull.repository));
    await this.#remove(privateImageOf(instanceId));
    const reference = pulledImage === undefined ? null : parseImageReference(pulledImage);
    if (pulledImage === undefined || reference === null) return;
    await this.#inTurn(repositoryOf(reference), async () => {
      const isWanted = memories
        .entries()
        .some(([id, memory]) => id !== instanceId && memory.pulledImage === pulledImage);
      if (!isWanted) await this.#remove(pulledImage);
      await memories.note(instanceId, { pulledImage: undefined });
    });
  }

  async #usePublicly(
    reference: ImageReference,
    instanceId: string,
    make: (name: string) => Promise<void>,
    tell: (step: Progress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { engine, memories, guard, pullDeadlineMs: deadlineMs } = this.#parts;
    const repository = repositoryOf(reference);
    const name = wholeReference(reference);
    const use = async () => {
      await this.#tidy(repository);
      const isThere = await this.#isThere(name);
      const isOurs = memories.entries().some(([, { pulledImage }]) => pulledImage === name);
      // Noted before it is pulled: what an agent that dies leaves half done is still known to be its own.
      if (!isThere || isOurs) await memories.note(instanceId, { pulledImage: name });
      if (!isThere) {
        await guard.check(reference);
        await pullImage(engine, name, { auth: null, deadlineMs, tell, signal });
      }
      await make(name);
    };
    await this.#inTurn(repository, use, signal);
  }

  /** Pulls with a login, and gives the image to its container alone. */
  async #pullPrivately(
    reference: ImageReference,
    instanceId: string,
    auth: RegistryAuth,
    tell: (step: Progress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { engine, memories, guard, pullDeadlineMs: deadlineMs } = this.#parts;
    const repository = repositoryOf(reference);
    const name = wholeReference(reference);
    const pull = async () => {
      await this.#tidy(repository);
      await guard.check(reference);
      await memories.note(instanceId, {
        privatePull: { repository, kept: Object.fromEntries(await this.#namesOf(repository)) },
      });
      try {
        await pullImage(engine, name, { auth, deadlineMs, tell, signal });
        const [repo = '', tag = ''] = privateImageOf(instanceId).split(':');
        await engine.ask((docker) => docker.getImage(name).tag({ repo, tag }));
      } finally {
        await this.#tidy(repository);
      }
    };
    await this.#inTurn(repository, pull, signal);
  }

  /** Takes away the names that pulls with a login have left. Whoever calls it has the repository's turn. */
  async #tidy(repository: string): Promise<void> {
    const { memories } = this.#parts;
    for (const [instanceId, { privatePull }] of memories.entries()) {
      if (privatePull?.repository !== repository) continue;
      for (const [name, id] of await this.#namesOf(repository)) {
        if (privatePull.kept[name] !== id) await this.#remove(name);
      }
      await memories.note(instanceId, { privatePull: undefined });
    }
  }

  /** Every name that an image of a repository has here, by tag and by digest, and the image's id. */
  async #namesOf(repository: string): Promise<[string, string][]> {
    const images = await this.#parts.engine.ask((docker) => docker.listImages({ digests: true }));
    return images
      .flatMap(({ Id, RepoTags, RepoDigests }) =>
        [...(RepoTags ?? []), ...(RepoDigests ?? [])].map((name): [string, string] => [name, Id]),
      )
      .filter(([name]) => {
        const reference = parseImageReference(name);
        return reference !== null && repositoryOf(reference) === repository;
      });
  }

  /** Removes a name, and what bears no other. What a container is made of stays. */
  async #remove(name: string): Promise<void> {
    try {
      await this.#parts.engine.find((docker) => docker.getImage(name).remove());
    } catch (error) {
      if (!(error instanceof EngineRefused && error.status === 409)) throw error;
    }
  }

  async #isThere(name: string): Promise<boolean> {
    return (await this.#parts.engine.find((docker) => docker.getImage(name).inspect())) !== undefined;
  }

  async #login(instanceId: string): Promise<RegistryAuth | null> {
    try {
      return await this.#parts.registryAuth(instanceId);
    } catch (error) {
      // Only the server has it; until it answers there is nothing to try.
      throw new DriverAway('The login for the image can not be had just now.', { cause: error });
    }
  }

  #inTurn<Result>(repository: string, work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const turns = this.#turns.get(repository) ?? new Turns(1);
    this.#turns.set(repository, turns);
    return turns.run(work, signal);
  }
}

const repositoryOf = ({ registry, path }: ImageReference) => `${registry ?? defaultRegistry}/${path}`;
