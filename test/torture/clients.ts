// The customers: each deploys, repeats itself, opens ports, changes and deletes, and asks again with the same key as long as it gets
// no answer. Now and then one loses patience, and then it doesn't know what became of its request.

import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededEntropy } from '../../src/sim/chance.ts';
import { type Answer, callAt, type Market, pick, untilAnswered } from './calls.ts';
import { type Promised, portsText, type Request } from './ledger.ts';
import { removeInstances } from './removal.ts';
import { changeServer } from './servers.ts';

/** From this many on, clients rather delete than deploy. */
const liveMax = 24;

/** Lets one client do `acts` things, one after the other. */
export async function runClient(market: Market, label: string, acts: number): Promise<void> {
  for (let act = 0; act < acts; act += 1) {
    const { chance, ledger } = market;
    await sleep(chance.fraction() * 60);
    const live = ledger.live().length;
    const dice = chance.fraction();
    if (dice < 0.2 + live / liveMax / 2) await remove(market);
    else if (dice < 0.65 || live === 0) await deploy(market, `${label}-${act}`);
    else if (dice < 0.72) await openPorts(market);
    else await changeServer(market);
  }
}

/** Deploys, and asks on with the same key until there is an answer. */
export async function deploy(market: Market, name: string, count?: number): Promise<Request> {
  const { chance, ledger, template } = market;
  const wrong = count === undefined && chance.fraction() < 0.12;
  const large = count === undefined && chance.fraction() < 0.06;
  const ports = wrong ? [{ port: 10250, protocol: 'tcp' }] : somePorts(chance);
  const body = {
    constraints: large ? { basicConfiguration: 'cpu-16-ram-32gb-storage-25gb' } : template.constraints,
    instances: large ? 10 : (count ?? 1 + Math.floor(chance.fraction() * 3)),
    vmConfiguration: { name, openPorts: ports, osImage: template.osImage, sshKeys: template.sshKeys },
  };
  const request: Request = { key: `key-${name}`, name, count: body.instances, body, outcome: 'open', ids: [] };
  ledger.requests.add(request);
  const post = () => call(market, 'POST', body, { 'idempotency-key': request.key });
  const answer = await untilAnswered(market, count === undefined, post);
  if (!answer) {
    request.outcome = 'unknown';
    return request;
  }
  if (answer.status !== 201) {
    request.outcome = 'refused';
    if (!wrong && answer.status !== 422) ledger.complain(`${name} was refused with ${JSON.stringify(answer)}`);
    return request;
  }
  if (wrong) ledger.complain(`${name} was accepted with port 10250`);
  const ids = idsOf(answer);
  ledger.accept(request, ids, portsText([{ port: 22, protocol: 'tcp' }, ...ports]));
  if (chance.fraction() < 0.3) await repeat(market, request, post);
  return request;
}

/** The same again must be answered the same; another body under the same key must be refused. */
async function repeat(market: Market, request: Request, post: () => Promise<Answer>): Promise<void> {
  const { ledger } = market;
  const again = await untilAnswered(market, false, post);
  if (again && (again.status !== 201 || idsOf(again).join() !== request.ids.join())) {
    ledger.complain(`the repeat of ${request.name} was answered ${JSON.stringify(again)}`);
  }
  const other = { ...request.body, instances: request.count + 1 };
  const reused = await untilAnswered(market, false, () =>
    call(market, 'POST', other, { 'idempotency-key': request.key }),
  );
  if (reused && reused.status < 400) ledger.complain(`the key of ${request.name} was taken for another request`);
}

/** Deletes some instances, all or none, also some that another client is deleting just now. */
async function remove(market: Market): Promise<void> {
  const { chance, ledger } = market;
  const live = ledger.live();
  const first = pick(chance, live);
  if (!first) return;
  const second = chance.fraction() < 0.4 ? pick(chance, live) : undefined;
  const ids = [...new Set([first, ...(second ? [second] : [])])].map(({ id }) => id);
  await removeVms(market, ids, true);
}

/** Deletes instances by Fluence's call. */
export function removeVms(market: Market, ids: readonly string[], mayGiveUp: boolean): Promise<void> {
  return removeInstances(market, ids, mayGiveUp, () => call(market, 'DELETE', { vmIds: ids }));
}

async function openPorts(market: Market): Promise<void> {
  const { chance, ledger } = market;
  const instance: Promised | undefined = pick(
    chance,
    ledger.live().filter(({ ports }) => ports !== null),
  );
  if (!instance) return;
  const ports = somePorts(chance);
  // While nothing is answered either set may be open; and nobody else changes them meanwhile.
  instance.ports = null;
  const body = { updates: [{ id: instance.id, openPorts: ports }] };
  const answer = await untilAnswered(market, true, () => call(market, 'PATCH', body));
  if (answer?.status === 204) instance.ports = portsText(ports);
  else if (answer && answer.status !== 404 && answer.status !== 409) {
    ledger.complain(`the ports of ${instance.id} were answered ${JSON.stringify(answer)}`);
  }
}

function call(market: Market, method: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
  return callAt(market, method, '/vms/v3', body, { authorization: `Bearer ${market.apiKey}`, ...headers });
}

const idsOf = ({ body }: Answer): string[] => (body as { vmId: string }[]).map(({ vmId }) => vmId);

function somePorts(chance: SeededEntropy): { port: number; protocol: string }[] {
  const count = Math.floor(chance.fraction() * 3);
  const ports = new Set(Array.from({ length: count }, () => 80 + Math.floor(chance.fraction() * 8)));
  return [...ports].map((port) => ({ port, protocol: port % 2 ? 'udp' : 'tcp' }));
}
