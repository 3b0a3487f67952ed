// The customers by Bytemark's calls: they pull plugs, start, restart, resize, reimage, delete, bring back and purge. While one
// waits for the answer about a server nobody else changes it, though it may be deleted by Fluence's call at any moment.

import { type Answer, callAt, type Market, pick, untilAnswered } from './calls.ts';
import type { Promised } from './ledger.ts';
import { removeInstances } from './removal.ts';

/** How a server stands once a call is answered well; what is left out stays. */
type Outcome = Partial<Pick<Promised, 'power' | 'hidden' | 'cores'>>;

interface Act {
  method: string;
  /** Below the server's own path. */
  path?: string;
  body: object | null;
  outcome: Outcome;
  /** It may be refused because the host has no more. */
  takesRoom?: boolean;
}

const put = (body: object, outcome: Outcome, takesRoom = false): Act => ({ method: 'PUT', body, outcome, takesRoom });
const reimage = { distribution: 'micro', root_password: 'torture', ssh_public_key: '', firstboot_script: '' };

/** What can be done with a server as it stands. */
function actsFor({ power, hidden, ran, mayBeLost }: Promised, cores: number): Act[] {
  if (hidden) return [put({ deleted: false }, { hidden: false, power: 'off' })];
  const start = put({ autoreboot_on: true, power_on: true }, { power: 'on' });
  const stop = put({ autoreboot_on: false, power_on: false }, { power: 'off' });
  const cycle = put({ autoreboot_on: true, power_on: false }, power === 'on' ? {} : { power });
  const resize = put({ cores }, { cores }, true);
  const remove: Act = { method: 'DELETE', body: null, outcome: { hidden: true, power: 'off' } };
  // One that has not come up yet may fail, as may one that the database knows no better of; it is gone for good when it is
  // deleted then.
  if (!ran || mayBeLost) return [stop, cycle, resize];
  if (power === 'on') return [stop, stop, cycle, resize, resize, remove];
  if (power !== 'off') return [start, stop];
  const image: Act = { method: 'POST', path: '/reimage', body: reimage, outcome: { power: 'on' } };
  return [start, start, resize, image, image, remove];
}

/** Does one thing with one server. */
export async function changeServer(market: Market): Promise<void> {
  const { chance, ledger } = market;
  const server = pick(
    chance,
    ledger.live().filter(({ busy }) => !busy),
  );
  if (!server) return;
  server.busy = true;
  try {
    const number = await market.numberOf(server.id);
    if (number === undefined) return;
    if (server.ran && chance.fraction() < 0.1) return await purge(market, server, number);
    const act = pick(chance, actsFor(server, 1 + Math.floor(chance.fraction() * 3)));
    if (act) await carryOut(market, server, number, act);
  } finally {
    server.busy = false;
  }
}

async function carryOut(market: Market, server: Promised, number: number, act: Act): Promise<void> {
  const { ledger } = market;
  const wasKnown = server.power !== null && server.hidden !== null && server.ran;
  const before = { power: server.power, hidden: server.hidden, cores: server.cores };
  // While nothing is answered it may stand either way.
  for (const part of Object.keys(act.outcome) as (keyof Outcome)[]) server[part] = null;
  let asked = 0;
  const answer = await untilAnswered(market, true, () => {
    asked += 1;
    return callServer(market, act.method, number, act.path, act.body);
  });
  if (!answer) return;
  // What was imaged by a request without an answer is on, and is not imaged again by the next.
  const isDoneAlready = act.path === '/reimage' && asked > 1 && /must be off/.test(JSON.stringify(answer.body));
  if (answer.status < 300 || isDoneAlready) {
    Object.assign(server, act.outcome);
    return;
  }
  const isRefused = answer.status === 400 && act.takesRoom === true;
  if (isRefused) Object.assign(server, before);
  else if (wasKnown && !server.mayBeLost && ledger.promised.get(server.id)?.deletion === 'none') {
    ledger.complain(`${act.method} ${JSON.stringify(act.body)} of ${server.id}: ${JSON.stringify(answer)}`);
  }
}

/** Erases a server for good. */
function purge(market: Market, server: Promised, number: number): Promise<void> {
  return removeInstances(market, [server.id], true, () => callServer(market, 'DELETE', number, '?purge=true'));
}

/** One of Bytemark's calls of a server. @param path below the server's own */
export async function callServer(
  market: Market,
  method: string,
  number: number,
  path = '',
  body: object | null = null,
): Promise<Answer> {
  const headers = { authorization: `Bearer apikey.${market.apiKey}` };
  const at = `/accounts/default/groups/default/virtual_machines/${number}`;
  return callAt(market, method, at + path, body, headers);
}
