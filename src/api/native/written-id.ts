// Use cases name what is missing by the database's id, which nobody here has ever seen. What a request names is told as it was
// written there.

import type { FastifyRequest } from 'fastify';
import { kindOfSample, parseId } from './id.ts';
import { kindOfParam } from './param.ts';

/** Ids of a request that are looked for; no body names more that a refusal would be about. */
const idsMax = 50;
const idPattern = /^[a-z]{2,3}_[0-9a-f]+$/;

/** The ids that a request names: how the database writes each, and how the request does. */
function idsOf({ params, query, body }: FastifyRequest): [inDatabase: string, written: string][] {
  const ofPath = Object.entries((params ?? {}) as Record<string, string>).flatMap(([name, written]) => {
    const kind = kindOfParam(name);
    return kind ? pairOf(parseId(kind, written), written) : [];
  });
  const beside = [query, body].flatMap((part) => Object.values((part ?? {}) as Record<string, unknown>)).flat();
  const others = beside.slice(0, idsMax).flatMap((written) => {
    if (typeof written !== 'string' || !idPattern.test(written)) return [];
    const kind = kindOfSample(written);
    return kind ? pairOf(parseId(kind, written), written) : [];
  });
  return [...ofPath, ...others];
}

const pairOf = (inDatabase: string | null, written: string): [string, string][] =>
  inDatabase === null ? [] : [[inDatabase, written]];

/** A text with the request's ids as they are written there. */
export function withWrittenIds(text: string, request: FastifyRequest): string {
  let told = text;
  for (const [inDatabase, written] of idsOf(request)) {
    // A number is an id only where it stands alone.
    if (!/^\d+$/.test(inDatabase)) told = told.replaceAll(inDatabase, written);
    else if (told === inDatabase) told = written;
    else told = told.replaceAll(`"${inDatabase}"`, `"${written}"`);
  }
  return told;
}

/** What a request is about, where the refusal does not say it: the last thing that its path names. */
export function lastOfPath({ params }: FastifyRequest): string | undefined {
  const named = Object.entries((params ?? {}) as Record<string, string>).filter(([name]) => kindOfParam(name));
  return named.at(-1)?.[1];
}
