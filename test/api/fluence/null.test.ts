// Null wherever the document allows it, one place after the other and all at once, in every body there is; and a 400 that
// names the field wherever it does not. The places come from the document's own schemas.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openApiDocuments } from '../../../src/api/openapi.ts';
import { startTestBerth } from '../../support/berth.ts';
import type { Document, Schema } from '../requests.ts';
import { assertRefused, deployBody, deployed, keys, openStore } from '../support.ts';
import { addDatacenter, addHost, epyc } from './market.ts';

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

await addHost(database, { hardware: epyc, datacenterId: await addDatacenter(database, 'PL', 'POZ') });
const [vm = ''] = await deployed(berth);

type Path = (string | number)[];

/** A body in which every field of the schema is there, once in each list. */
const constraints = {
  basicConfiguration: 'cpu-1-ram-1gb-storage-5gb',
  additionalResources: { storage: [{ type: 'NVMe', supply: 1, units: 'GiB' }] },
  hardware: {
    cpu: [{ manufacturer: 'AMD', architecture: 'Zen' }],
    memory: [{ type: 'DDR', generation: '4' }],
    storage: [{ type: 'NVMe' }],
  },
  datacenter: { countries: ['PL'] },
  maxTotalPricePerEpochUsd: '1.5',
};
const bodies: Record<string, () => unknown> = {
  'POST /marketplace/offers': () => constraints,
  'POST /vms/v3/estimate': () => ({ constraints, instances: 1 }),
  'POST /vms/v3': () => ({
    ...deployBody({ hostname: 'h', openPorts: [{ port: 80, protocol: 'tcp' }] }, { constraints, instances: 1 }),
  }),
  'PATCH /vms/v3': () => ({ updates: [{ id: vm, vmName: 'renamed', openPorts: [{ port: 80, protocol: 'tcp' }] }] }),
  'DELETE /vms/v3': () => ({ vmIds: [] }),
  'POST /ssh_keys': () => ({ name: 'key', publicKey: keys.rsa }),
  'DELETE /ssh_keys': () => ({ fingerprint: 'SHA256:x' }),
};
/** Allowed by the schema so that the message can say more than "must be array": no key at all is a 422. */
const refusedLater = 'vmConfiguration.sshKeys';

/** Every place of a schema below `path`, with whether null may stand there. */
function placesOf(schema: Schema, path: Path): { path: Path; nullable: boolean }[] {
  const inner = [
    ...Object.entries(schema.properties ?? {}).map(([key, part]): [Schema, Path] => [part, [...path, key]]),
    ...(schema.items ? [[schema.items, [...path, 0]] as [Schema, Path]] : []),
  ];
  return inner.flatMap(([part, at]) => [
    { path: at, nullable: [part.type].flat().includes('null') },
    ...placesOf(part, at),
  ]);
}

/** The body with null at a place, or undefined when it has no such place. */
function withNull(body: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined) return null;
  if (body === null || typeof body !== 'object' || !(step in body)) return undefined;
  const inner = withNull((body as Record<string | number, unknown>)[step], rest);
  if (inner === undefined) return undefined;
  const copy = Array.isArray(body) ? [...body] : { ...body };
  (copy as Record<string | number, unknown>)[step] = inner;
  return copy;
}

const text = (path: Path) =>
  path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .slice(1);

const document = JSON.parse((await openApiDocuments()).get('fluence.json') ?? '') as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { requestBody }]) => {
    const schema = requestBody?.content['application/json']?.schema;
    return schema ? [{ name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path, schema }] : [];
  }),
);

test('every body of the document is tried', () => {
  assert.deepEqual(operations.map(({ name }) => name).toSorted(), Object.keys(bodies).toSorted());
});

for (const { name, method, path, schema } of operations) {
  const body = bodies[name] ?? (() => ({}));
  const places = placesOf(schema, []);
  const nullable = places.filter((place) => place.nullable && text(place.path) !== refusedLater);

  if (nullable.length > 0)
    test(`${name} takes null in each of ${nullable.length} places`, async () => {
      for (const place of nullable) {
        const changed = withNull(body(), place.path);
        assert.notEqual(changed, undefined, `the body of this test has no ${text(place.path)}`);
        const answer = await berth.call(method, path, changed);
        assert.ok(answer.status < 300, `${text(place.path)}: ${answer.status} ${JSON.stringify(answer.body)}`);
      }
      // From the outside in: what is inside of a null is not there any more.
      const all = nullable.reduce((changed, place) => withNull(changed, place.path) ?? changed, body());
      const answer = await berth.call(method, path, all);
      assert.ok(answer.status < 300, `all at once: ${JSON.stringify(answer.body)}`);
    });

  test(`${name} refuses null where a value is needed, and names the place`, async () => {
    const needed = places.filter((place) => !place.nullable);
    for (const place of needed) {
      const changed = withNull(body(), place.path);
      if (changed === undefined) continue;
      assertRefused(await berth.call(method, path, changed), 400, text(place.path), 'null');
    }
    assertRefused(await berth.call(method, path, 'null'), 400, 'body');
  });
}
