// `GET /vms/v3/default_images`: the catalog, every image of which can be deployed as it is listed.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import { deployBody, deployed } from '../support.ts';

interface Image {
  id: string;
  name: string;
  distribution: string;
  slug: string;
  downloadUrl: string;
  username: string;
  createdAt: string;
  updatedAt: string;
}

const berth = await startTestBerth();
after(() => berth.close());
const list = async () => (await berth.call<Image[]>('GET', '/vms/v3/default_images')).body;

test('each image has exactly the fields of the contract', async () => {
  const images = await list();
  assert.ok(images.length >= 6);
  for (const image of images) {
    assert.deepEqual(Object.keys(image).toSorted(), [
      'createdAt',
      'distribution',
      'downloadUrl',
      'id',
      'name',
      'slug',
      'updatedAt',
      'username',
    ]);
    assert.match(image.id, /^[0-9a-f]{32}$/);
    assert.match(image.slug, /^[a-z0-9-]+$/);
    assert.match(image.username, /^[a-z]+$/);
    assert.ok(URL.canParse(image.downloadUrl));
    for (const time of [image.createdAt, image.updatedAt]) assert.ok(!Number.isNaN(Date.parse(time)));
    for (const text of [image.name, image.distribution]) assert.ok(text.length > 0);
  }
  assert.equal(new Set(images.map(({ id }) => id)).size, images.length);
  assert.equal(new Set(images.map(({ slug }) => slug)).size, images.length);
});

test('the image that the contract shows is there as it is shown', async () => {
  const image = (await list()).find(({ slug }) => slug === 'ubuntu-22-04-x64');
  assert.deepEqual(
    [image?.name, image?.distribution, image?.username, image?.downloadUrl],
    [
      '22.04 (LTS) x64',
      'Ubuntu',
      'ubuntu',
      'https://cloud-images.ubuntu.com/releases/22.04/release/ubuntu-22.04-server-cloudimg-amd64.img',
    ],
  );
});

test('each listed URL is taken by the deploy call, those that Berth serves itself too', async () => {
  const images = await list();
  assert.ok(images.some(({ downloadUrl }) => downloadUrl.startsWith(`${berth.url}/images/`)));
  for (const { downloadUrl } of images) await deployed(berth, deployBody({ osImage: downloadUrl }));
});

test('a restart neither doubles nor changes the catalog but for where Berth itself is reached', async () => {
  const before = await list();
  const oldUrl = berth.url;
  await berth.restart();
  const moved = before.map((image) => ({ ...image, downloadUrl: image.downloadUrl.replace(oldUrl, berth.url) }));
  assert.deepEqual(await list(), moved);
});

test('an image that Berth does not build is not found, whatever its path', async () => {
  for (const file of ['x.qcow2', '..%2f..%2fcredentials.json', '%00', 'micro', 'micro.qcow2%00', '.', '__proto__']) {
    const answer = await berth.call('GET', `/images/${file}`);
    assert.equal(answer.status, 404, file);
    assert.deepEqual(Object.keys(answer.body as object), ['error']);
  }
});
