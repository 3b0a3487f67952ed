// How a JSON body is read: in words that help when it can't be, and held to what every later step can take. Code that
// walks a body may recurse, so the depth is bounded here, once.

import { BerthError } from '../model/errors.ts';
import type { App } from './types.ts';

/** A deploy body is five deep; what clients add of their own stays far below this, and no recursion suffers from it. */
const depthMax = 64;

/** Reads bodies of `application/json`; every other content type is answered with 415. */
export function readJsonBodies(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: unknown, text: string | Buffer) => parseJsonBody(String(text)),
  );
}

/**
 * Reads a body.
 * @throws BerthError `malformed` when it is no JSON, too deep, or holds a key that would change an object's prototype; the
 *   message repeats nothing of the body, which may hold a secret
 */
export function parseJsonBody(text: string): unknown {
  if (text.trim() === '') throw new BerthError('malformed', 'The body is empty; it must be JSON.');
  let body: unknown;
  try {
    body = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch (error) {
    const position = /at position \d+/.exec((error as Error).message)?.[0];
    throw new BerthError('malformed', `The body is not valid JSON${position ? ` (${position})` : ''}.`);
  }
  checkParts(body);
  return body;
}

function checkParts(body: unknown): void {
  const left: { part: unknown; depth: number }[] = [{ part: body, depth: 1 }];
  for (let next = left.pop(); next; next = left.pop()) {
    const { part, depth } = next;
    if (part === null || typeof part !== 'object') continue;
    if (depth > depthMax) throw new BerthError('malformed', `The body is nested more than ${depthMax} levels deep.`);
    if (Object.hasOwn(part, '__proto__')) {
      throw new BerthError('malformed', 'The body has a field named "__proto__", which is not taken.');
    }
    for (const value of Object.values(part)) left.push({ part: value, depth: depth + 1 });
  }
}
