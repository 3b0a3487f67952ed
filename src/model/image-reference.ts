// References of container images, `registry/path:tag` or `registry/path@sha256:…`, read as the Docker Engine reads them and
// always made whole: a short one could be taken for the id of an image that happens to be there.

import { BerthError, shown } from './errors.ts';

/** A reference in its parts. */
export interface ImageReference {
  /** Such as `registry.example.com:5000`; null where none was named, which means Docker Hub. */
  registry: string | null;
  /** Such as `library/nginx`. */
  path: string;
  /** `:tag` or `@digest`. */
  version: string;
}

/** Docker Hub, as it is called in references. */
export const defaultRegistry = 'docker.io';
/** What it was called once, and still is in logins. */
const olderDefaultRegistry = 'index.docker.io';

const referenceLengthMax = 512;
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;
const registryPattern =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;

/** The parts of a reference, or null when it is none. */
export function parseImageReference(text: string): ImageReference | null {
  if (text.length > referenceLengthMax) return null;
  const [beforeDigest = '', digest, ...more] = text.split('@');
  if (more.length > 0 || (digest !== undefined && !digestPattern.test(digest))) return null;
  const slash = beforeDigest.indexOf('/');
  const first = slash < 0 ? '' : beforeDigest.slice(0, slash);
  // As Docker has it: a first part with a dot or a colon, or `localhost`, is a registry; any other is a part of the path.
  const isRegistry = first === 'localhost' || /[.:]/.test(first);
  const registry = isRegistry ? sameName(first) : null;
  const rest = isRegistry ? beforeDigest.slice(slash + 1) : beforeDigest;
  if (isRegistry && !registryPattern.test(first)) return null;
  const colon = rest.lastIndexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? 'latest' : rest.slice(colon + 1);
  if (!pathPattern.test(path) || !tagPattern.test(tag)) return null;
  // What is meant is an image's id, and such an image would be whoever's.
  if (path === 'sha256' && colon >= 0) return null;
  const version = digest === undefined ? `:${tag}` : `@${digest}`;
  const isHub = registry === null || registry === defaultRegistry;
  const wholePath = isHub && !path.includes('/') ? `library/${path}` : path;
  return { registry, path: wholePath, version };
}

/** The one name of a registry that has several. */
function sameName(registry: string): string {
  const lower = registry.toLowerCase();
  return lower === olderDefaultRegistry ? defaultRegistry : lower;
}

/** A reference made whole. */
export function wholeReference({ registry, path, version }: ImageReference): string {
  return `${registry ?? defaultRegistry}/${path}${version}`;
}

/**
 * The reference that an image without a registry of its own has on another registry.
 * @param registry such as `registry.example.com:5000`
 */
export function onRegistry({ path, version }: ImageReference, registry: string): ImageReference {
  return { registry, path: registry === defaultRegistry ? path : path.replace(/^library\//, ''), version };
}

/** The host and port of a registry as a login names it: without scheme, path and trailing slash; null when it is none. */
export function parseRegistry(text: string): string | null {
  const registry = text
    .trim()
    .replace(/^https?:\/\//, '')
    .replace(/\/(?:v[12]\/?)?$/, '');
  return registryPattern.test(registry) && registry.length <= 255 ? sameName(registry) : null;
}

/** Where a registry is reached: its bare host name or address, and `HOST:PORT`. */
export function registryEndpoint(registry: string): { hostname: string; endpoint: string } {
  const [, host = registry, port = '443'] = /^(.*?)(?::(\d+))?$/.exec(registry) ?? [];
  return { hostname: host.replace(/^\[|\]$/g, ''), endpoint: `${host}:${port}` };
}

/**
 * Checks a reference.
 * @returns its parts
 * @throws BerthError `invalid_value`
 */
export function checkImageReference(text: string, field: string): ImageReference {
  const reference = parseImageReference(text);
  if (reference) return reference;
  const rule = 'an image is named like nginx:1.27, registry.example.com/team/app:v2, or with @sha256:… at the end';
  throw new BerthError('invalid_value', `${field} is ${shown(text)}; ${rule}.`, field);
}
