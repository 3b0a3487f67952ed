// How the customers ask: again and again until there is an answer, or until one loses patience.

import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededEntropy } from '../../src/sim/chance.ts';
import type { Ledger } from './ledger.ts';

/** After this a client stops asking. Longer than any restart takes on a busy machine. */
const patienceMs = 30_000;
const callMsMax = 10_000;
const retryMs = 40;
/** Chance after each attempt without an answer that a client loses patience. */
const giveUpChance = 0.03;

/** What clients are given. */
export interface Market {
  url: string;
  apiKey: string;
  ledger: Ledger;
  chance: SeededEntropy;
  /** The number that an instance has in Bytemark's dialect; undefined while nobody can say. */
  numberOf(instanceId: string): Promise<number | undefined>;
  /** What is the same in every deployment. */
  template: { constraints: object; osImage: string; sshKeys: string[] };
}

/** What was answered. */
export type Answer = { status: number; body: unknown };

/** Asks until there is an answer. @returns null when the client gave up */
export async function untilAnswered(
  market: Market,
  mayGiveUp: boolean,
  ask: () => Promise<Answer>,
): Promise<Answer | null> {
  const end = performance.now() + patienceMs;
  while (performance.now() < end) {
    const answer = await ask().catch(() => null);
    if (answer && answer.status < 500) return answer;
    if (answer?.status === 500) market.ledger.complain(`an internal error: ${JSON.stringify(answer)}`);
    if (mayGiveUp && market.chance.fraction() < giveUpChance) return null;
    await sleep(retryMs);
  }
  return null;
}

/** One call of any dialect. */
export async function callAt(
  { url }: Market,
  method: string,
  path: string,
  body: object | null,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(callMsMax),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : null };
}

/** One of several, or none of none. */
export function pick<Item>(chance: SeededEntropy, items: readonly Item[]): Item | undefined {
  return items[Math.floor(chance.fraction() * items.length)];
}
