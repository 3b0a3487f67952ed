import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  checkImageReference,
  onRegistry,
  parseImageReference,
  parseRegistry,
  registryEndpoint,
  wholeReference,
} from '../../src/model/image-reference.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('a reference of an image', () => {
  test('is made whole as the Docker Engine reads it', () => {
    const cases: Record<string, string> = {
      nginx: 'docker.io/library/nginx:latest',
      'nginx:1.27': 'docker.io/library/nginx:1.27',
      'team/app': 'docker.io/team/app:latest',
      'docker.io/nginx': 'docker.io/library/nginx:latest',
      'index.docker.io/team/app:v1': 'docker.io/team/app:v1',
      'localhost/app': 'localhost/app:latest',
      'localhost:5000/app:v2': 'localhost:5000/app:v2',
      'Registry.Example.COM/team/app': 'registry.example.com/team/app:latest',
      'registry.example.com:5000/a/b/c:v1.2_3-x': 'registry.example.com:5000/a/b/c:v1.2_3-x',
      [`nginx@${digest}`]: `docker.io/library/nginx@${digest}`,
      [`nginx:1.27@${digest}`]: `docker.io/library/nginx@${digest}`,
    };
    for (const [text, whole] of Object.entries(cases)) {
      const reference = parseImageReference(text);
      assert.ok(reference, text);
      assert.equal(wholeReference(reference), whole);
    }
  });

  test('is refused when it is none, or means an image by its id', () => {
    const none = [
      '',
      ' ',
      'a b',
      'UPPER',
      '/app',
      'app/',
      'a//b',
      'app:',
      'app:-x',
      'http://example.com/app',
      'app@sha256:1',
    ];
    const ids = [digest, 'sha256:abcdef'];
    for (const text of [
      ...none,
      ...ids,
      '-app',
      'app:t@',
      `x/${'a'.repeat(600)}`,
      'a:b:c',
      'app\n',
      'ä',
      'bad_.example/app',
    ]) {
      assert.equal(parseImageReference(text), null, text);
      assert.throws(() => checkImageReference(text, 'container_config.image'), { code: 'invalid_value' });
    }
  });

  test('made whole stays what it is when it is read again', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,8})?$/);
    const registry = fc.option(
      fc
        .tuple(fc.domain(), fc.option(fc.integer({ min: 1, max: 65535 })))
        .map(([host, port]) => (port ? `${host}:${port}` : host)),
    );
    const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/));
    fc.assert(
      fc.property(registry, fc.array(name, { minLength: 1, maxLength: 4 }), tag, (host, path, version) => {
        const text = `${host ? `${host}/` : ''}${path.join('/')}${version ? `:${version}` : ''}`;
        const reference = parseImageReference(text);
        // The Engine takes a first part with a dot for a registry, too.
        if (!reference) return;
        const whole = wholeReference(reference);
        const again = parseImageReference(whole);
        assert.ok(again, whole);
        assert.equal(wholeReference(again), whole);
        assert.match(whole, /^[^/]*[.:][^/]*\/|^localhost\//);
      }),
    );
  });

  test('on another registry keeps its path, without what only Docker Hub has', () => {
    const at = (text: string, registry: string) => {
      const reference = parseImageReference(text);
      assert.ok(reference);
      return wholeReference(onRegistry(reference, registry));
    };
    assert.equal(at('app:v1', 'registry.example.com'), 'registry.example.com/app:v1');
    assert.equal(at('team/app', 'registry.example.com:5000'), 'registry.example.com:5000/team/app:latest');
    assert.equal(at('nginx', 'docker.io'), 'docker.io/library/nginx:latest');
  });
});

describe('the registry of a login', () => {
  test('is read from whatever people write', () => {
    assert.equal(parseRegistry('registry.example.com'), 'registry.example.com');
    assert.equal(parseRegistry(' https://Registry.example.com:5000/v2/ '), 'registry.example.com:5000');
    assert.equal(parseRegistry('https://index.docker.io/v1/'), 'docker.io');
    assert.equal(parseRegistry('docker.io'), 'docker.io');
    for (const text of ['', 'a b', 'https://', 'registry.example.com/team', 'user@example.com']) {
      assert.equal(parseRegistry(text), null, text);
    }
  });

  test('is reached at a host and a port', () => {
    assert.deepEqual(registryEndpoint('a.example'), { hostname: 'a.example', endpoint: 'a.example:443' });
    assert.deepEqual(registryEndpoint('[::1]:5000'), { hostname: '::1', endpoint: '[::1]:5000' });
    assert.deepEqual(registryEndpoint('127.0.0.1:5000'), { hostname: '127.0.0.1', endpoint: '127.0.0.1:5000' });
  });
});
