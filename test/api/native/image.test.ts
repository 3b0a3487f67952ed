// OS images over Berth's own API: the catalog, and the accounts' own beside it, in every API that makes VMs.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { parseId, toId } from '../../../src/api/native/id.ts';
import { ownImagesMax } from '../../../src/model/own-image.ts';
import { startTestBerth, until } from '../../support/berth.ts';
import { createBody, created } from '../bytemark/vms.ts';
import { deployBody, deployed, holdings, openStore, removed } from '../support.ts';
import { allOf, callsOf, done, type Page, refused } from './calls.ts';
import { startImageServer } from './image-server.ts';

interface Image {
  id: string;
  account: string | null;
  slug: string;
  name: string;
  url: string;
  sha256: string | null;
  format: string | null;
  state: string;
  reason: string | null;
  username: string;
  distribution: string;
  updatedAt: string;
}

const images = await startImageServer();
const berth = await startTestBerth({ addressPool: '127.66.3.0/24', allowImageHosts: [images.host] });
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
  await images.close();
});
const call = callsOf(berth);
const sum = createHash('sha256').update('an image').digest('hex');
const accountId = (await database.selectFrom('account').select('id').executeTakeFirstOrThrow()).id;
const size = { vcpus: 1, memoryMib: 1024, diskGib: 5 };

let names = 0;
const newImage = (more: object = {}) => {
  names += 1;
  return { name: `own-${names}`, url: images.url('/good.qcow2'), sha256: sum, ...more };
};
const register = (more: object = {}) => done<Image>(call, 201, 'POST', '/images', newImage(more));
const imageOf = (id: string) => done<Image>(call, 200, 'GET', `/images/${id}`);

/** Waits until an image's URL was looked at. */
async function settled(id: string): Promise<Image> {
  await until(`${id} was looked at`, async () => (await imageOf(id)).state !== 'checking');
  return imageOf(id);
}

const ready = async (more: object = {}) => settled((await register(more)).id);

/** What an instance was told to be made of. */
const madeOf = (id: string) =>
  database.selectFrom('instance').where('id', '=', id).select(['image_url', 'image_sha256']).executeTakeFirstOrThrow();

test('an image of one’s own is registered, looked at, and then ready', async () => {
  const made = await register({ distribution: 'Debian', username: 'debian', sha256: sum.toUpperCase() });
  assert.deepEqual(
    [made.account, made.slug, made.state, made.sha256, made.format],
    [toId('account', accountId), `own:${made.name}`, 'checking', sum, null],
  );
  const image = await settled(made.id);
  assert.deepEqual(
    [image.state, image.reason, image.format, image.username, image.distribution],
    ['ready', null, 'qcow2', 'debian', 'Debian'],
  );
  assert.deepEqual(await imageOf(image.slug), image);
  const events = await database.selectFrom('event').where('kind', 'like', 'own-image.%').select('kind').execute();
  assert.deepEqual(events.map(({ kind }) => kind).toSorted(), ['own-image.ready', 'own-image.registered']);
});

test('nothing is taken as a login or a distribution that a shell, ssh or a terminal would read anything else into', async () => {
  const logins = [
    '-oProxyCommand=touch /tmp/x',
    '$(id)',
    'a b',
    'a;b',
    'a@b',
    '',
    '../a',
    'root\n',
    'a'.repeat(33),
    '1st',
  ];
  const held = await holdings(database);
  for (const username of logins) {
    const { status, body } = await call('POST', '/images', newImage({ username }));
    assert.ok([400, 422].includes(status), `${username}: ${JSON.stringify(body)}`);
    assert.equal(body.pointer, '#/username');
  }
  for (const distribution of ['De\x1b]0;x\x07bian', 'De\nbian', 'De\u2028bian', ' ']) {
    const { pointer } = await refused(call, 422, 'invalid_value', 'POST', '/images', newImage({ distribution }));
    assert.equal(pointer, '#/distribution');
  }
  assert.deepEqual(await holdings(database), held);
  for (const username of ['debian', 'ec2-user', '_svc', 'Admin.one']) await register({ username });
});

test('what a URL leads to that can’t be used is told, and such an image makes no VM', async () => {
  const wrong: [path: string, reason: RegExp, more?: object][] = [
    ['/none.qcow2', /its server answers 404/],
    ['/page.qcow2', /is not a disk image/],
    ['/raw.qcow2', /is a raw disk image/],
    ['/good.qcow2', /is qcow2, and was registered as raw/, { format: 'raw' }],
    ['/loop.qcow2', /redirects too often/],
    ['/private.qcow2', /must be on a public server/],
  ];
  const made = await Promise.all(wrong.map(([path, , more]) => register({ url: images.url(path), ...more })));
  for (const [index, { id }] of made.entries()) {
    const { state, reason } = await settled(id);
    assert.equal(state, 'failed');
    assert.match(reason ?? '', wrong[index]?.[1] ?? /never/);
  }
  const body = { name: 'none', image: made[0]?.slug, ...size };
  const held = await holdings(database);
  const { detail } = await refused(call, 422, 'invalid_value', 'POST', '/instances', body);
  assert.match(detail, /can't be used: The image can't be fetched: its server answers 404/);
  assert.deepEqual(await holdings(database), held);
});

test('a server that does not answer now is asked again', async () => {
  const { id } = await register({ url: images.url('/busy.qcow2') });
  await until('it was looked at once', async () => (await imageOf(id)).reason !== null);
  const { state, reason } = await imageOf(id);
  assert.deepEqual([state, reason], ['checking', "The image can't be fetched: its server answers 503."]);
  images.recover();
  await database
    .updateTable('own_image')
    .set({ check_at: new Date() })
    .where('id', '=', parseId('image', id) ?? '')
    .execute();
  assert.equal((await settled(id)).state, 'ready');
});

test('a raw image is found out, and what is compressed is left to the host', async () => {
  assert.equal((await ready({ url: images.url('/raw.raw') })).format, 'raw');
  const packed = await ready({ url: images.url('/packed.raw.gz'), format: 'raw' });
  assert.deepEqual([packed.state, packed.format], ['ready', 'raw']);
});

test('a VM is made of an own image in each API, with the checksum that its host has to find', async () => {
  const image = await ready();
  const wanted = { image_url: image.url, image_sha256: sum };
  const ids: string[] = [];
  for (const ref of [image.slug, image.id]) {
    const body = { name: `vm-of-${ids.length}`, image: ref, ...size };
    const { id } = await done<{ id: string }>(call, 201, 'POST', '/instances', body);
    ids.push(parseId('instance', id) ?? '');
  }
  ids.push(...(await deployed(berth, deployBody({ osImage: image.slug }))));
  const { virtual_machine: vm } = await created(
    berth,
    createBody({}, { reimage: { distribution: image.slug, root_password: 'a long one' } }),
  );
  assert.equal(vm.last_imaged_with, image.slug);
  const row = database.selectFrom('instance').where('name', '=', vm.name).select('id');
  ids.push((await row.executeTakeFirstOrThrow()).id);
  for (const id of ids) assert.deepEqual(await madeOf(id), wanted);
  await removed(berth, database, ids);
});

test('a VM that is imaged anew is held to the checksum of its new image, or to none', async () => {
  const image = await ready();
  const { id } = await done<{ id: string }>(call, 201, 'POST', '/instances', {
    ...{ name: 'anew', image: 'micro', power: 'off', ...size },
  });
  const instance = parseId('instance', id) ?? '';
  assert.equal((await madeOf(instance)).image_sha256, null);
  const reimage = (to: string) => call('POST', `/instances/${id}/reimage`, { image: to, rootPassword: 'a long one' });
  assert.equal((await reimage(image.id)).status, 202);
  assert.deepEqual(await madeOf(instance), { image_url: image.url, image_sha256: sum });
  await removed(berth, database, [instance]);
});

test('an image that is still being checked, or is nobody’s, makes no VM', async () => {
  const { slug } = await register({ url: images.url('/slow.qcow2') });
  const cases: [ref: string, words: RegExp][] = [
    [slug, /is still being checked/],
    ['own:nothing', /must be the slug/],
    [toId('image', '0'.repeat(32)), /must be the slug/],
  ];
  for (const [image, words] of cases) {
    const problem = await refused(call, 422, 'invalid_value', 'POST', '/instances', { name: 'none', image, ...size });
    assert.match(problem.detail, words);
    assert.equal(problem.pointer, '#/image');
  }
  const fluence = await berth.call<{ error: string }>('POST', '/vms/v3', deployBody({ osImage: slug }));
  assert.deepEqual([fluence.status, /still being checked/.test(fluence.body.error)], [422, true]);
});

test('what is wrong with an image is refused, and nothing is registered', async () => {
  const { name } = await register();
  const count = async () => (await allOf<Image>(call, '/images?account=default')).length;
  const before = await count();
  const cases: [more: object, status: number, code: string, pointer: string][] = [
    [{ name: 'a b' }, 422, 'invalid_value', '#/name'],
    [{ name }, 409, 'name_taken', '#/name'],
    [{ sha256: 'abc' }, 422, 'invalid_value', '#/sha256'],
    [{ url: 'https://images.example.com/a.iso' }, 422, 'invalid_value', '#/url'],
    [{ url: 'http://127.0.0.1:1/a.qcow2' }, 422, 'invalid_value', '#/url'],
    [{ url: 'https://ann:secret@images.example.com/a.qcow2' }, 422, 'invalid_value', '#/url'],
    [{ url: 'file:///etc/a.qcow2' }, 422, 'invalid_value', '#/url'],
  ];
  for (const [more, status, code, pointer] of cases) {
    assert.equal((await refused(call, status, code, 'POST', '/images', newImage(more))).pointer, pointer);
  }
  assert.equal((await call('POST', '/images?dryRun=true', newImage())).status, 201);
  assert.equal(await count(), before);
});

test('images are listed in pages: the catalog, then one’s own, and those alone where an account is named', async () => {
  await register();
  const catalog = (await done<Page<Image>>(call, 200, 'GET', '/images?limit=200')).items.filter(
    ({ account }) => account === null,
  );
  assert.ok(catalog.length >= 6 && catalog.every(({ state, sha256 }) => state === 'ready' && sha256 === null));
  const all = await allOf<Image>(call, '/images');
  const own = await allOf<Image>(call, '/images?account=default');
  assert.ok(own.length > 2 && own.every(({ account }) => account === toId('account', accountId)));
  assert.deepEqual(all, [...catalog, ...own]);
  const failed = await allOf<Image>(call, '/images?account=default&state=failed');
  assert.ok(failed.length > 0 && failed.every(({ state }) => state === 'failed'));
  await refused(call, 422, 'invalid_value', 'GET', '/images?cursor=WyIxIl0');
});

test('an own image is renamed and deleted; VMs that were made of it keep it', async () => {
  const image = await ready();
  const taken = await register();
  const { body, headers } = await call<Image>('GET', `/images/${image.id}`);
  const path = `/images/${image.id}`;
  const renamed = await done<Image>(call, 200, 'PATCH', path, { name: `${image.name}.1` });
  assert.deepEqual(renamed, { ...body, name: `${body.name}.1`, slug: `${body.slug}.1`, updatedAt: renamed.updatedAt });
  const stale = { 'if-match': headers.get('etag') ?? '' };
  assert.equal((await call('PATCH', path, { name: 'late' }, stale)).status, 412);
  assert.equal((await refused(call, 409, 'name_taken', 'PATCH', path, { name: taken.name })).pointer, '#/name');
  assert.equal((await refused(call, 422, 'invalid_value', 'PATCH', path, { name: '-' })).pointer, '#/name');
  const [id = ''] = await deployed(berth, deployBody({ osImage: renamed.slug }));
  await done(call, 204, 'DELETE', path);
  await refused(call, 404, 'not_found', 'GET', path);
  await refused(call, 404, 'not_found', 'DELETE', path);
  assert.deepEqual(await madeOf(id), { image_url: image.url, image_sha256: sum });
  await removed(berth, database, [id]);
});

test('images of the catalog are nobody’s to change', async () => {
  const { items } = await done<Page<Image>>(call, 200, 'GET', '/images?limit=1');
  const path = `/images/${items[0]?.id}`;
  await refused(call, 404, 'not_found', 'PATCH', path, { name: 'mine' });
  await refused(call, 404, 'not_found', 'DELETE', path);
});

test('an account has a number of own images at most', async () => {
  const { count } = await database
    .selectFrom('own_image')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  for (let left = ownImagesMax - Number(count); left > 0; left -= 1) await register();
  const { detail } = await refused(call, 422, 'invalid_value', 'POST', '/images', newImage());
  assert.match(detail, /50 images are registered/);
});
