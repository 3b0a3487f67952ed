// What `--simulate` says: an agent that was asked to run nothing never runs anything.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { parseSimulation } from '../../src/compose/simulation.ts';

test('whatever is left out of a simulation is the usual, and it stays one', () => {
  for (const text of ['{}', '{"simulated":{}}', '{"patience":{"graceMs":5}}', '{"simulated":{"seed":7}}']) {
    const { simulated } = parseSimulation(text);
    assert.equal(simulated.behaviour.startFailureChance, 0, text);
    assert.ok(simulated.capacity.cores > 0, text);
  }
  const { simulated, patience } = parseSimulation(
    '{"simulated":{"behaviour":{"bootMs":3},"capacity":{"cores":2},"seed":7},"patience":{"graceMs":5}}',
  );
  assert.deepEqual([simulated.behaviour.bootMs, simulated.behaviour.eraseMs], [3, 200]);
  assert.deepEqual([simulated.capacity.cores, simulated.capacity.diskGib], [2, 1_000]);
  assert.deepEqual([simulated.seed, patience], [7, { graceMs: 5 }]);
});

test('a simulation that can’t be read is refused with what would be right', () => {
  for (const [text, what] of [
    ['', /no JSON/],
    ['yes', /no JSON/],
    ['null', /must be an object/],
    ['[]', /must be an object/],
    ['7', /must be an object/],
    ['{"simulated":true}', /simulated must be an object/],
    ['{"simulated":{"capacity":[]}}', /simulated\.capacity must be an object/],
    ['{"behaviour":{}}', /it has "behaviour", which is not known there; it takes simulated, patience/],
    ['{"simulated":{"cores":4}}', /simulated has "cores".*capacity/],
  ] as const) {
    assert.throws(() => parseSimulation(text), what, text);
  }
});

test('the command refuses it before anything is started', async () => {
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    const elsewhere = ['--server', 'http://127.0.0.1:9', '--token', 'none', '--data', '/nowhere/at/all'];
    const words = ['src/main.ts', 'agent', ...elsewhere, '--simulate', '{"cores":4}'];
    execFile(process.execPath, words, (error, _stdout, told) => resolve({ code: error?.code, stderr: told }));
  });
  assert.notEqual(code, 0);
  assert.match(stderr, /--simulate .*it takes simulated, patience/s);
});
