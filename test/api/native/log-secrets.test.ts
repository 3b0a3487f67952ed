// What the log of a whole run says at its most talkative: every operation by its example, those that are refused, and not one secret.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

process.env.BERTH_LOG = 'trace';
const { callApi } = await import('../../support/berth.ts');
const { operations } = await import('./document.ts');
const { rightRequest, send, startWorld } = await import('./world.ts');

const world = await startWorld();
after(() => world.close());

/** Fields of requests and answers that hold a secret. */
const isSecret =
  /^(token|secret|password|currentPassword|rootPassword|ticket|uri|url|registryAuth|firstBootScript|startupScript)$/;
/** Six digits of a code may stand anywhere by chance; that no query is in the log is seen below. */
const lengthMin = 8;

const secrets = new Set<string>();

function collect(value: unknown, name = ''): void {
  if (typeof value === 'string' && isSecret.test(name) && value.length >= lengthMin) {
    const [, ticket] = /ticket=([\w-]+)$/.exec(value) ?? [];
    // An address is none but for what stands in it.
    if (name !== 'url') secrets.add(value);
    else if (ticket) secrets.add(ticket);
  }
  if (value === null || typeof value !== 'object') return;
  for (const [key, part] of Object.entries(value)) collect(part, isSecret.test(name) && name !== 'url' ? name : key);
}

test('no secret of any operation is in the log', async () => {
  for (const operation of operations.filter(({ opensDoor, changes }) => changes && !opensDoor)) {
    const { key, example } = await rightRequest(world, operation);
    if (key !== null) secrets.add(key);
    collect(example.body);
    const answer = await send(world, key, operation, example);
    if (answer.status < 300) collect(answer.body);
    // The same, refused: by its shape, and by who asks.
    const odd = operation.method === 'GET' ? undefined : { ...(example.body as object), nonsense: 'x' };
    await send(world, key, operation, { ...example, body: odd, query: { ...example.query, nonsense: 'x' } });
    await send(world, `${key}x`, operation, example);
  }
  const { body } = await callApi<{ items: { id: string }[] }>(
    world.berth.url,
    world.operator,
    'GET',
    '/berth/v1/instances',
  );
  const ticket = await callApi<{ ticket: string; url: string }>(
    ...([world.berth.url, world.berth.apiKey, 'POST', `/berth/v1/instances/${body.items[0]?.id}/tickets`] as const),
    { door: 'console' },
  );
  collect(ticket.body);
  await callApi(world.berth.url, null, 'GET', ticket.body.url);
  const log = world.berth.log();
  assert.ok(log.includes('"path":"/berth/v1/sessions"'), 'requests are in it');
  assert.ok(log.includes('/console"'), 'and doors without their tickets');
  assert.ok(!/"path":"[^"]*\?/.test(log), 'no query is in it');
  assert.ok(secrets.size > 20, `${secrets.size} secrets`);
  for (const secret of secrets) {
    const at = log.indexOf(secret);
    assert.equal(at, -1, `${secret} in ${log.slice(Math.max(0, at - 300), at + 100)}`);
  }
});
