// The URL of a CD, as it is looked at before a VM is told to have it in its drive.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isoReader } from '../../../src/compose/iso.ts';
import { startTestBerth, type TestBerth } from '../../support/berth.ts';
import { type IsoServer, startIsoServer } from './iso-server.ts';
import { call, changed, createBody, created, group, machines } from './vms.ts';

let isos: IsoServer;
let berth: TestBerth;

before(async () => {
  isos = await startIsoServer();
  berth = await startTestBerth({ addressPool: '127.66.2.0/24', allowImageHosts: [isos.host] });
});
after(async () => {
  await berth?.close();
  await isos.close();
});

test('an ISO image is taken, also without ranges, behind a redirect and under any name; null takes it out', async () => {
  const vm = await created(berth, createBody({ cdrom_url: isos.url('/good.iso') }, { reimage: undefined }));
  assert.equal(vm.virtual_machine.cdrom_url, isos.url('/good.iso'));
  const { name } = vm.virtual_machine;
  for (const path of ['/good', '/moved'])
    assert.equal((await changed(berth, name, { cdrom_url: isos.url(path) })).cdrom_url, isos.url(path));
  assert.equal((await changed(berth, name, { cdrom_url: null })).cdrom_url, null);
});

test('what is none is refused with the reason, and nothing is made or changed', async () => {
  const { virtual_machine: vm } = await created(berth);
  const wrong: [path: string, fault: string][] = [
    ['/nothing', "can't be fetched: its server answers 404"],
    ['/page', 'is not an ISO image'],
    ['/short', 'is not an ISO image'],
    ['/loop', 'redirects too often'],
    ['/private', 'must be on a public server'],
    ['/file', 'leads to nothing that can be fetched'],
    ['/broken', "can't be fetched: its server can't be reached"],
    ['/slow', "can't be fetched: its server does not answer within 5 s"],
  ];
  for (const [path, fault] of wrong) {
    const answer = await call(berth, 'PUT', `${machines}/${vm.name}`, { cdrom_url: isos.url(path) });
    assert.deepEqual([answer.status, answer.body], [400, { cdrom_url: [fault] }], path);
  }
  const body = createBody({ name: 'not-made', cdrom_url: isos.url('/page') });
  assert.equal((await call(berth, 'POST', `${group}/vm_create`, body)).status, 400);
  assert.equal((await call(berth, 'GET', `${machines}/not-made`)).status, 404);
});

test('a name that leads to a private address, beside whatever others, is refused', async () => {
  const found = ['93.184.216.34', '127.0.0.1'].map((address) => ({ address, family: 4 }));
  const read = isoReader(
    () => new Set(),
    (_name, _options, callback) => callback(null, found),
  );
  assert.equal(await read(new URL('http://cds.example/a.iso')), 'must be on a public server');
});
