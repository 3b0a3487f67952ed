// Who may call: the three ways in which clients send their key, and the one answer to everybody else.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { callApi, startTestBerth } from '../../support/berth.ts';
import { deployBody } from '../support.ts';

const berth = await startTestBerth();
after(() => berth.close());

const calls: [method: string, path: string, body?: unknown][] = [
  ['POST', '/vms/v3', deployBody()],
  ['GET', '/vms/v3'],
  ['GET', '/vms/v3/status?ids=0x0'],
  ['PATCH', '/vms/v3', { updates: [] }],
  ['DELETE', '/vms/v3', { vmIds: [] }],
  ['GET', '/vms/v3/default_images'],
];

const withHeaders = (headers: Record<string, string>, [method, path, body] = calls[1] ?? ['GET', '/']) =>
  callApi(berth.url, null, method, path, body, headers);

test('a key is taken as a bearer token, in its own header, and after X-API-KEY in Authorization', async () => {
  const { apiKey } = berth;
  const forms: Record<string, string>[] = [
    { authorization: `Bearer ${apiKey}` },
    { authorization: `bearer ${apiKey}` },
    { 'x-api-key': apiKey },
    { authorization: `X-API-KEY ${apiKey}` },
  ];
  for (const headers of forms) assert.equal((await withHeaders(headers)).status, 200, Object.keys(headers)[0]);
});

test('every call refuses a missing, empty, wrong or bare key with 403 and the exact text', async () => {
  const almost = `${berth.apiKey.slice(0, -1)}${berth.apiKey.endsWith('A') ? 'B' : 'A'}`;
  const forms: Record<string, string>[] = [
    {},
    { authorization: '' },
    { 'x-api-key': '' },
    { authorization: 'Bearer ' },
    { authorization: `Bearer ${almost}` },
    { authorization: `X-API-KEY ${almost}` },
    { 'x-api-key': almost },
    { 'x-api-key': "' or true --" },
    { authorization: berth.apiKey },
    { authorization: `Basic ${Buffer.from(`ann:${berth.apiKey}`).toString('base64')}` },
  ];
  for (const call of calls) {
    for (const headers of forms) {
      const answer = await withHeaders(headers, call);
      assert.equal(answer.status, 403, `${call[0]} ${call[1]}`);
      assert.deepEqual(answer.body, { error: 'Auth failed. No such API Key' });
    }
  }
});

test('who has no key learns nothing of what was wrong with the body', async () => {
  const answer = await callApi(berth.url, null, 'POST', '/vms/v3', '{"broken":');
  assert.equal(answer.status, 403);
});

test('an unknown path is a 404 in the one-field shape', async () => {
  for (const [method, path] of [
    ['GET', '/vms/v4'],
    ['PUT', '/vms/v3'],
    ['GET', '/vms/v3/0x00'],
    ['POST', '/'],
  ] as const) {
    const answer = await berth.call<{ error: string }>(method, path);
    assert.equal(answer.status, 404);
    assert.deepEqual(answer.body, { error: `There is no ${method} ${path}.` });
  }
});

test('no key ever stands in the log, not even one that was refused', async () => {
  const wrong = 'berth_a-key-that-nobody-has-0123456789';
  await withHeaders({ authorization: `Bearer ${wrong}` });
  await withHeaders({ 'x-api-key': wrong });
  await callApi(berth.url, wrong, 'GET', `/vms/v3?key=${wrong}`);
  assert.ok(berth.log().length > 0);
  assert.ok(!berth.log().includes(wrong));
  assert.ok(!berth.log().includes(berth.apiKey));
});
