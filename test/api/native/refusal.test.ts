// The errors that Berth's own API says it answers: which codes each operation names, that they are those of the page on errors, and
// that an answer with another one is found out, whichever test has asked for it.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { nativeError } from '../../../src/api/native/error.ts';
import { BerthError, type ErrorCode, errorTable } from '../../../src/model/errors.ts';
import { holdToDocument } from '../../support/held.ts';
import { document, operations } from './document.ts';

const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
const declared = new Set(operations.flatMap(({ codes }) => codes));
const codesOf = (id: string) => operations.find((one) => one.id === id)?.codes ?? [];

test('every code that an operation names has its row on the page of errors, with the status that it is named with', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [code, status]);
  const statuses = new Map(rows as [string, string][]);
  for (const [name, { description, content }] of Object.entries(document.components.responses)) {
    const { schema, examples } = content['application/problem+json'];
    const codes = schema.allOf.flatMap(({ properties }) => properties?.code.enum ?? []);
    assert.ok(codes.length > 0, name);
    for (const code of codes) {
      assert.equal(statuses.get(code), String(errorTable[code as ErrorCode].status), `${name}: ${code}`);
      assert.ok(description.includes(`\`${code}\``), `${name}: ${code}`);
    }
    assert.deepEqual(Object.keys(examples), codes, name);
  }
});

test('every code there is is named by an operation, but for what is answered where there is none', () => {
  const ofNone = Object.keys(errorTable).filter((code) => !declared.has(code));
  assert.deepEqual(ofNone, ['method_not_allowed']);
});

test('every operation names what is common to its kind', () => {
  const common = ['malformed', 'too_many_requests', 'internal', 'unavailable'];
  const ofChanges = ['cross_site', 'forbidden', 'invalid_value', 'idempotency_key_reused', 'payload_too_large'];
  for (const { id, codes, path, isPublic, isForOperators, changes, opensDoor, headers } of operations) {
    const expected = [
      ...common,
      ...(isPublic ? [] : ['unauthenticated']),
      ...(isForOperators ? ['forbidden'] : []),
      ...(path.includes('{') ? ['not_found'] : []),
      ...(changes && !isPublic && !opensDoor ? ofChanges : []),
      ...(headers.includes('if-match') ? ['precondition_failed'] : []),
    ];
    const missing = expected.filter((code) => !codes.includes(code));
    assert.deepEqual(missing, [], id);
    assert.equal(new Set(codes).size, codes.length, id);
  }
});

test('an operation names its own codes, and not those of others', () => {
  const own = (id: string) => codesOf(id).filter((code) => errorTable[code as ErrorCode].status === 409);
  assert.deepEqual(own('createGroup'), []);
  assert.deepEqual(own('deleteGroup'), ['wrong_state']);
  assert.deepEqual(own('createSshKey'), ['name_taken']);
  assert.deepEqual(own('deleteQuote'), ['quote_over']);
  assert.deepEqual(
    codesOf('createSession').filter((code) => errorTable[code as ErrorCode].status === 401),
    ['bad_credentials', 'second_factor_needed'],
  );
  assert.ok(!codesOf('listGroups').includes('forbidden'));
});

test('an answer with a code that its operation does not name is found out', () => {
  const path = `/berth/v1/groups/grp_17`;
  const answer = (code: ErrorCode) => {
    const request = { id: randomUUID(), routeOptions: { config: {} } } as Parameters<typeof nativeError>[1];
    const { status, body } = nativeError(new BerthError(code, 'It is wrong.'), request);
    const headers = { 'request-id': request.id, ratelimit: 'x', 'ratelimit-policy': 'x' };
    return { status, body, headers: new Headers({ ...headers, 'content-type': 'application/problem+json' }) };
  };
  holdToDocument('DELETE', path, answer('wrong_state'));
  holdToDocument('DELETE', path, answer('idempotency_key_reused'));
  assert.throws(() => holdToDocument('DELETE', path, answer('name_taken')), /name_taken.*allowed values/s);
  assert.throws(() => holdToDocument('DELETE', path, answer('no_suitable_offer')), /allowed values/);
  assert.throws(() => holdToDocument('GET', path, answer('wrong_state')), /its document has no 409/);
});
