/** The test runner, run on small trees of its own: what its last line counts, and when it fails. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { processStartTicks } from '../src/host/process.ts';

const RUNNER = join(dirname(fileURLToPath(import.meta.url)), 'run.ts');
const HEAD = `import assert from 'node:assert/strict';\nimport { spawn } from 'node:child_process';\nimport { before, describe, test } from 'node:test';\n`;

interface Outcome {
  lastLine: string;
  output: string;
  code: number | null;
}

/** Runs the runner on a tree of the given test files, with tools for the checks that end with the given exit code. */
async function runOn(
  t: TestContext,
  tests: Record<string, string>,
  filters: string[] = ['test'],
  environment: Record<string, string> = {},
  checkExitCode = 0,
): Promise<Outcome> {
  const root = mkdtempSync(join(tmpdir(), 'berth-run-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  for (const [path, body] of Object.entries(tests)) {
    mkdirSync(dirname(join(root, 'test', path)), { recursive: true });
    writeFileSync(join(root, 'test', path), HEAD + body);
  }
  const bin = join(root, 'node_modules', '.bin');
  mkdirSync(bin, { recursive: true });
  for (const name of ['biome', 'tsc', 'knip']) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "$0 was run"\nexit ${checkExitCode}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const env: NodeJS.ProcessEnv = { ...process.env, BERTH_TEST_ROOT: root, ...environment };
  delete env.NODE_TEST_CONTEXT; // node:test would take the inner run for one of its own files and run nothing
  const child = spawn(process.execPath, [RUNNER, ...filters], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { lastLine: output.trimEnd().split('\n').at(-1) ?? '', output, code };
}

test('counts leaf tests only and ends well when all pass', async (t) => {
  const outcome = await runOn(t, {
    'one.test.ts': `test('a', () => {});\ndescribe('suite', () => { test('b', () => {}); test('c', () => {}); });`,
    'deep/two.test.ts': `test('outer', async (t) => { await t.test('d', () => {}); await t.test('e', () => {}); });`,
    'helper.ts': `throw new Error('not a test file');`,
  });
  assert.equal(outcome.lastLine, '5 passed, 0 failed');
  assert.equal(outcome.code, 0);
  assert.match(outcome.output, /test\/deep\/two\.test\.ts/);
});

test('counts each failure once, shows its cause and the output of its file', async (t) => {
  const outcome = await runOn(t, {
    'one.test.ts': `
      test('good', () => { console.log('said before the failure'); });
      test('bad', () => { assert.equal(41 + 1, 43); });
      test('outer', async (t) => { await t.test('inner good', () => {}); await t.test('inner bad', () => assert.fail('inner reason')); });
      test('outer with a fault of its own', async (t) => { await t.test('fine', () => {}); throw new Error('own reason'); });
    `,
  });
  assert.equal(outcome.lastLine, '3 passed, 3 failed');
  assert.equal(outcome.code, 1);
  for (const words of [/42 !== 43/, /inner reason/, /own reason/, /said before the failure/]) {
    assert.match(outcome.output, words);
  }
});

test('counts skipped tests apart', async (t) => {
  const outcome = await runOn(t, { 'one.test.ts': `test('a', () => {});\ntest('b', { skip: 'no moon' }, () => {});` });
  assert.equal(outcome.lastLine, '1 passed, 0 failed, 1 skipped');
  assert.equal(outcome.code, 0);
  assert.match(outcome.output, /no moon/);
});

test('fails when no test ran, and says so', async (t) => {
  for (const tests of [{}, { 'empty.test.ts': '' }, { 'one.test.ts': `test.skip('b', () => {});` }]) {
    const outcome = await runOn(t, tests, ['test/']);
    assert.match(outcome.lastLine, /^0 passed, [01] failed/);
    assert.equal(outcome.code, 1);
    assert.match(outcome.output, /No test ran|no test file matches/);
  }
});

test('fails for a file that cannot be loaded, a failing hook, and an exit code of its own', async (t) => {
  const good = `test('a', () => {});`;
  const syntax = await runOn(t, { 'one.test.ts': 'this is no code(' });
  assert.equal(syntax.lastLine, '0 passed, 1 failed');
  assert.match(syntax.output, /SyntaxError/);
  const exit = await runOn(t, { 'one.test.ts': `${good}\nprocess.exitCode = 3;` });
  assert.equal(exit.lastLine, '1 passed, 1 failed');
  assert.match(exit.output, /exit code 3/);
  const hook = await runOn(t, {
    'one.test.ts': `describe('s', () => { before(() => { throw new Error('hook reason'); }); test('a', () => {}); });`,
  });
  assert.match(hook.output, /hook reason/);
  assert.equal(hook.code, 1);
});

test('runs only the files that a filter names, by part of the path or by path', async (t) => {
  const tests = { 'red/one.test.ts': `test('a', () => {});`, 'blue/two.test.ts': `test('b', () => {});` };
  const byPart = await runOn(t, tests, ['red/']);
  assert.equal(byPart.lastLine, '1 passed, 0 failed');
  assert.doesNotMatch(byPart.output, /two\.test\.ts|was run|lint/);
  const byNothing = await runOn(t, tests, ['red', 'green']);
  assert.equal(byNothing.lastLine, '1 passed, 1 failed');
  assert.match(byNothing.output, /no test file matches "green"/);
});

test('without a filter lint, types and dead code are tests too', async (t) => {
  const tests = { 'one.test.ts': `test('a', () => {});` };
  const good = await runOn(t, tests, []);
  assert.equal(good.lastLine, '5 passed, 0 failed');
  assert.equal(good.code, 0);
  const bad = await runOn(t, tests, [], {}, 1);
  assert.equal(bad.lastLine, '1 passed, 4 failed');
  for (const name of ['lint', 'types', 'types of the console', 'dead code'])
    assert.match(bad.output, new RegExp(`✖ ${name}`));
  assert.match(bad.output, /bin\/biome was run/);
});

test('in a run of everything a file that failed has a second go, and what was unsteady is told of', async (t) => {
  const marks = mkdtempSync(join(tmpdir(), 'berth-goes-'));
  t.after(() => rmSync(marks, { recursive: true, force: true }));
  const unsteady = `
    import { existsSync, writeFileSync } from 'node:fs';
    test('steady', () => {});
    test('unsteady', () => {
      const hasRun = existsSync('${marks}/ran');
      writeFileSync('${marks}/ran', '');
      assert.ok(hasRun, 'the first go');
    });`;
  const once = await runOn(t, { 'one.test.ts': unsteady }, []);
  assert.equal(once.lastLine, '6 passed, 0 failed');
  assert.equal(once.code, 0);
  assert.match(once.output, /Failed at the first go[\s\S]*✖ test\/one\.test\.ts: unsteady[\s\S]*the first go/);
  const broken = await runOn(t, { 'one.test.ts': `test('bad', () => assert.fail());` }, []);
  assert.equal(broken.lastLine, '4 passed, 1 failed');
  assert.equal(broken.code, 1);
  assert.doesNotMatch(broken.output, /Failed at the first go/);
  const many = [...'abcdefghi'].map((name) => [`${name}.test.ts`, `test('bad', () => assert.fail());`] as const);
  const all = await runOn(t, Object.fromEntries(many), []);
  assert.equal(all.lastLine, '4 passed, 9 failed');
  assert.doesNotMatch(all.output, /Once more/);
});

test('a process that outlives the tests fails the run and is ended', async (t) => {
  const outcome = await runOn(t, {
    'one.test.ts': `
      test('leaves something', () => {
        const child = spawn('sleep', ['1234'], { detached: true, stdio: 'ignore' });
        child.unref();
        console.error('left ' + child.pid);
        assert.fail('so that the output is shown');
      });`,
  });
  assert.equal(outcome.lastLine, '0 passed, 2 failed');
  assert.match(outcome.output, /nothing left running/);
  const pid = Number(/left (\d+)/.exec(outcome.output)?.[1]);
  assert.match(outcome.output, new RegExp(`${pid} \\(parent \\d+\\): sleep 1234`));
  await assertGone(pid);
});

test('a file that does not end is ended, and what was running is named', async (t) => {
  const outcome = await runOn(
    t,
    {
      'one.test.ts': `
        test('quick', () => {});
        test('endless', async () => { await new Promise(() => setInterval(() => {}, 1000)); });`,
      'two.test.ts': `test('after it', () => {});`,
    },
    ['test'],
    { BERTH_TEST_FILE_TIMEOUT_MS: '10000' },
  );
  assert.equal(outcome.code, 1);
  assert.match(outcome.output, /Not done after 10\.0 s; tests running: "endless"/);
  assert.match(outcome.output, /✔ after it/);
});

test('files with machines run in turn, others beside them, browsers before networks change, and what pulls plugs last; each tells its own in one piece', async (t) => {
  const notes = mkdtempSync(join(tmpdir(), 'berth-lanes-'));
  t.after(() => rmSync(notes, { recursive: true, force: true }));
  // Each test leaves the moments of its begin and end.
  const file = (name: string) => `
    import { writeFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    test('${name} one', async () => {
      const began = Date.now();
      await sleep(300);
      writeFileSync('${notes}/${name}', began + ' ' + Date.now());
    });
    test('${name} two', () => {});`;
  const names = ['agent/vm/a', 'system/b', 'agent/c', 'torture/d', 'browser/e', 'browser/f', 'browser/g'];
  const tests = names.map((path) => [`${path}.test.ts`, file(path.at(-1) ?? '')] as const);
  const { lastLine, output } = await runOn(t, Object.fromEntries(tests));
  assert.equal(lastLine, '14 passed, 0 failed');
  const spanOf = (name: string) => readFileSync(join(notes, name), 'utf8').split(' ').map(Number) as [number, number];
  const [a, b, c, d] = [spanOf('a'), spanOf('b'), spanOf('c'), spanOf('d')];
  const [e, g] = [spanOf('e'), spanOf('g')];
  assert.ok(a[1] <= b[0], 'one with machines after the other');
  assert.ok(e[0] < a[1] && c[0] < b[1], 'others beside them');
  assert.ok(g[1] <= b[0], 'browsers before networks change');
  assert.ok(d[0] >= Math.max(a[1], b[1], c[1]), 'what pulls plugs at the end');
  for (const path of names) {
    const name = path.at(-1);
    assert.match(
      output,
      new RegExp(`test/${path}\\.test\\.ts\\n  ✔ ${name} one .*\\n  ✔ ${name} two .*\\n  test/${path}`),
    );
  }
});

/** A killed process may be a zombie for ever where nobody collects it. */
async function assertGone(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (processStartTicks(pid) === undefined) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail(`process ${pid} is still running`);
}
