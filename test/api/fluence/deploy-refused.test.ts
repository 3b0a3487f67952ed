// Every deployment that is wrong in itself: refused with words that name the field and the value, and afterwards nothing
// of it stands in any table, no capacity is taken, and no secret is in the log.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import {
  assertRefused,
  type DeployBody,
  deployBody,
  deployed,
  holdings,
  imageUrl,
  keys,
  openStore,
} from '../support.ts';

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});
// One that stands, so that "nothing changed" is not said of empty tables.
before(() => deployed(berth, deployBody({ name: 'stands' })));

async function refused(body: DeployBody | string, status: number, ...words: string[]): Promise<void> {
  const held = await holdings(database);
  const answer = await berth.call('POST', '/vms/v3', body);
  assertRefused(answer, status, ...words);
  assert.deepEqual(await holdings(database), held, 'a refused request left something behind');
}

const vm = (fields: Record<string, unknown>) => deployBody(fields);
const port = (port: unknown, protocol: unknown = 'tcp') => vm({ openPorts: [{ port, protocol }] });

test('a name that can’t be a host name is refused: spaces, 300 characters, nothing, dots, control characters', async () => {
  const field = 'vmConfiguration.name';
  await refused(vm({ name: 'my vm' }), 422, field, '"my vm"', 'letters, digits and hyphens');
  await refused(vm({ name: 'a'.repeat(300) }), 422, field, '1 to 63 characters', '"aaaaaaaa');
  await refused(vm({ name: '' }), 422, field, '""', '1 to 63 characters');
  for (const name of ['-a', 'a-', 'a.b', 'ä', 'a_b', 'a\u0000', 'a\n', '../x', '$(id)', '😀']) {
    await refused(vm({ name }), 422, field, JSON.stringify(name));
  }
  await refused(vm({ name: null }), 400, field, 'null');
  await refused(vm({ name: 7 }), 400, field, '7');
  await refused(vm({ name: undefined }), 400, 'vmConfiguration', "'name'");
});

test('a host name that can’t be one is refused', async () => {
  for (const hostname of ['a b', 'a'.repeat(65), '.a', 'a..b', `${'a'.repeat(64)}`, '-a', 'a\nb', 'a;b']) {
    await refused(vm({ hostname }), 422, 'vmConfiguration.hostname', JSON.stringify(hostname).slice(0, 60));
  }
  await refused(vm({ hostname: 1 }), 400, 'vmConfiguration.hostname');
});

test('ports outside 1 to 65535, the reserved one, duplicates and too many are refused', async () => {
  const field = 'vmConfiguration.openPorts';
  await refused(port(0), 422, `${field}[0].port`, '0', '1 to 65535');
  await refused(port(65536), 422, `${field}[0].port`, '65536', '1 to 65535');
  await refused(port(-1), 422, `${field}[0].port`, '-1');
  await refused(port(1e30), 422, `${field}[0].port`);
  await refused(port(10250), 422, `${field}[0].port`, '10250', 'reserved');
  await refused(port(80.5), 400, `${field}[0].port`, '80.5');
  await refused(port('80'), 400, `${field}[0].port`, '"80"');
  await refused(port(null), 400, `${field}[0].port`, 'null');
  const twice = { port: 80, protocol: 'tcp' };
  await refused(vm({ openPorts: [twice, { port: 80, protocol: 'udp' }, twice] }), 422, `${field}[2]`, '80/tcp');
  const many = Array.from({ length: 51 }, (_, index) => ({ port: 1000 + index, protocol: 'tcp' }));
  await refused(vm({ openPorts: many }), 422, field, '51', '50');
  await refused(vm({ openPorts: {} }), 400, field);
  await refused(vm({ openPorts: [null] }), 400, `${field}[0]`, 'null');
});

test('protocols other than tcp and udp are refused', async () => {
  for (const protocol of ['icmp', 'sctp', 'TCP', '', 'tcp ']) {
    await refused(port(80, protocol), 422, 'vmConfiguration.openPorts[0].protocol', JSON.stringify(protocol), '"udp"');
  }
  await refused(port(80, 6), 400, 'vmConfiguration.openPorts[0].protocol', '6');
});

test('a key that is none is refused without being repeated: private, with a line break, cut off, with options', async () => {
  const secret = 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ';
  const privateKey = `-----BEGIN OPENSSH PRIVATE KEY-----\n${secret}\n-----END OPENSSH PRIVATE KEY-----`;
  const field = 'vmConfiguration.sshKeys';
  const wrong: [entry: string, ...words: string[]][] = [
    [privateKey, 'holds a private key', 'compromised'],
    [`${keys.ed25519}\n${keys.rsa}`, 'line break'],
    [keys.ed25519.replace(' ann', '\nann'), 'line break'],
    [`${keys.ed25519}\u0000`, 'control character'],
    [keys.ed25519.slice(0, 60), 'not a complete ssh-ed25519 public key'],
    [`command="id" ${keys.ed25519}`, 'neither a public SSH key nor'],
    [keys.ed25519.replace('ssh-ed25519', 'ssh-rsa'), 'not a complete ssh-rsa public key'],
    ['', 'is empty'],
    ['my-key', '"my-key"', 'neither a public SSH key nor'],
    [`${keys.ed25519}${' x'.repeat(5000)}`, 'at most 8192'],
  ];
  for (const [entry, ...words] of wrong) {
    await refused(vm({ sshKeys: [keys.rsa, entry] }), 422, `${field}[1]`, ...words);
  }
  await refused(vm({ sshKeys: Array(51).fill(keys.rsa) }), 422, field, '51', '50');
  await refused(vm({ sshKeys: [1] }), 400, `${field}[0]`);
  await refused(vm({ sshKeys: keys.rsa }), 400, field, 'must be array');
  for (const sshKeys of [[privateKey], privateKey, { key: privateKey }]) {
    const answer = await berth.call('POST', '/vms/v3', vm({ sshKeys }));
    assert.ok(answer.status === 422 || answer.status === 400);
    assert.ok(!JSON.stringify(answer.body).includes(secret.slice(0, 12)), 'the answer repeats the private key');
  }
  assert.ok(!berth.log().includes(secret.slice(0, 12)), 'the log holds the private key');
});

test('an image URL that is none, of another scheme or with an unknown ending is refused', async () => {
  const field = 'vmConfiguration.osImage';
  for (const url of [
    'ftp://a.example/x.img',
    'file:///etc/passwd.img',
    'data:,x.img',
    'javascript:x.img',
    's3://a/b.raw',
  ]) {
    await refused(vm({ osImage: url }), 422, field, url, 'scheme');
  }
  for (const url of ['', 'x', '/etc/passwd', '//a.example/x.img', 'https://', 'https:///.img', 'http://[::1/x.img']) {
    await refused(vm({ osImage: url }), 422, field, JSON.stringify(url));
  }
  for (const path of ['x.iso', 'x.vmdk', 'x.qcow2.zip', 'x', '', 'x?a=.img', 'x#.img', 'x.img.bz2']) {
    await refused(vm({ osImage: `https://a.example/${path}` }), 422, field, '.qcow2');
  }
  await refused(vm({ osImage: `https://a.example/${'a'.repeat(3000)}.img` }), 422, field, '2048');
  await refused(vm({ osImage: null }), 400, field, 'null');
  await refused(vm({ osImage: undefined }), 400, 'vmConfiguration', "'osImage'");
});

test('an image on a private, loopback or link-local address is refused in every notation of it', async () => {
  const hosts = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '017700000001',
    '0x7f.1',
    '127.0.0.1.',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    '0.0.0.0',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '255.255.255.255',
    '[::1]',
    '[::]',
    '[fe80::1]',
    '[fd00::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::10.0.0.1]',
    '[2002:7f00:1::]',
    '１２７.0.0.1',
  ];
  for (const host of hosts) {
    await refused(vm({ osImage: `http://${host}/disk.img` }), 422, 'vmConfiguration.osImage', 'private address');
    await refused(vm({ osImage: `https://${host}:8443/disk.img` }), 422, 'vmConfiguration.osImage', 'private address');
  }
});

test('an image URL with a user and password is refused without repeating them', async () => {
  for (const url of [
    'https://ann:hunter2@a.example/x.img',
    'ftp://ann:hunter2@a.example/x.img',
    'https://:hunter2@a.example/x',
  ]) {
    const body = vm({ osImage: url });
    await refused(body, 422, 'vmConfiguration.osImage', 'user name or password');
    assert.ok(!JSON.stringify((await berth.call('POST', '/vms/v3', body)).body).includes('hunter2'));
  }
  assert.ok(!berth.log().includes('hunter2'));
});

test('a number of instances that is none from 1 to 10 is refused', async () => {
  for (const instances of [0, 11, -1, 1e9])
    await refused(deployBody({}, { instances }), 422, 'instances', String(instances));
  for (const instances of [1.5, '2', true, [1], {}]) {
    await refused(deployBody({}, { instances }), 400, 'instances', JSON.stringify(instances));
  }
});

test('a body that is no JSON object of the documented shape is a 400 that says where', async () => {
  for (const text of ['', '{', '{"a":1,}', 'null', '[]', '"x"', '7', 'NaN', "{'a':1}", '{"a":1}{"b":2}', '\u0000']) {
    await refused(text, 400, 'body');
  }
  await refused('{}', 400, "'vmConfiguration'");
  await refused('{"vmConfiguration":null}', 400, 'vmConfiguration', 'null');
  await refused('{"vmConfiguration":[]}', 400, 'vmConfiguration', '[]');
  await refused(JSON.stringify(deployBody({}, { constraints: 'x' })), 400, 'constraints', '"x"');
});

test('a field named __proto__ is refused, and no object changes by it', async () => {
  const whole = JSON.stringify(deployBody());
  await refused(whole.replace('{', '{"__proto__":{"instances":9},'), 400, '__proto__');
  await refused(
    whole.replace('"vmConfiguration":{', '"vmConfiguration":{"\\u005f_proto__":{"admin":true},'),
    400,
    '__proto__',
  );
  assert.equal(({} as { admin?: unknown }).admin, undefined);
});

test('a body nested without end is a 400, also where fields are ignored', async () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  for (const depth of [100, 5_000, 400_000]) {
    const whole = JSON.stringify(deployBody());
    await refused(whole.replace('{', `{"ignored":${nested(depth)},`), 400, 'nested');
    await refused(whole.replace('{', `{"constraints":{"hardware":{"a":${nested(depth)}}},`), 400, 'nested');
  }
});

test('a body of 10 MB is a 413, of the wrong content type a 415', async () => {
  await refused(JSON.stringify(deployBody({ comment: 'x'.repeat(10 * 1024 * 1024) })), 413, 'larger');
  const held = await holdings(database);
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
  ]) {
    const answer = await berth.call('POST', '/vms/v3', JSON.stringify(deployBody()), { 'content-type': type });
    assertRefused(answer, 415, 'application/json');
  }
  assert.deepEqual(await holdings(database), held);
});

test('a message is short however long the value at fault was', async () => {
  for (const body of [vm({ name: 'n'.repeat(500_000) }), vm({ osImage: `https://a.example/${'u'.repeat(500_000)}` })]) {
    const answer = await berth.call<{ error: string }>('POST', '/vms/v3', body);
    assert.equal(answer.status, 422);
    assert.ok(answer.body.error.length < 400, answer.body.error);
  }
});

test('a request with the right body goes through after all of these', async () => {
  await deployed(berth, deployBody({ osImage: imageUrl }));
});
