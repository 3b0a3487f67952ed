// Image URLs, as far as they can be judged without fetching anything.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BerthError } from '../../src/model/errors.ts';
import { checkImageUrl, imageEnding, imageEndings } from '../../src/model/image.ts';

test('the longest ending that fits is the ending, in either case', () => {
  for (const ending of imageEndings) {
    assert.equal(imageEnding(new URL(`https://a.example/disk${ending}`)), ending);
    assert.equal(imageEnding(new URL(`https://a.example/disk${ending.toUpperCase()}`)), ending);
    assert.equal(imageEnding(new URL(`https://a.example/disk${ending}?token=x.iso#y`)), ending);
  }
  for (const path of ['disk.xz', 'disk.gz', 'disk.iso', 'disk.qcow2.xz', 'img', '']) {
    assert.equal(imageEnding(new URL(`https://a.example/${path}`)), null, path);
  }
});

test('a URL that passes is https or http, without credentials and fragment, with a known ending', () => {
  const text = fc.oneof(
    fc.webUrl({ withFragments: true, withQueryParameters: true }).map((url) => `${url.split(/[?#]/)[0]}.img`),
    fc
      .tuple(
        fc.constantFrom('http:', 'https:', 'ftp:', 'file:', ''),
        fc.constantFrom('//', '/', '', '\\\\'),
        fc.constantFrom('', 'a@', 'a:b@', ':b@', '@'),
        fc.constantFrom('a.example', '127.0.0.1', '[::1]', '', 'a b', 'ä.example'),
        fc.constantFrom('/x.img', '/x', '.img', '/x.raw.gz#y', '/../x.qcow2', '/x.img\n'),
      )
      .map((parts) => parts.join('')),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (url) => {
      try {
        const checked = checkImageUrl(url, 'osImage');
        assert.match(checked.href, /^https?:\/\//);
        assert.deepEqual([checked.username, checked.password, checked.hash], ['', '', '']);
        assert.ok(imageEnding(checked));
        assert.equal(checkImageUrl(checked.href, 'osImage').href, checked.href, 'the normal form is stable');
      } catch (error) {
        assert.ok(error instanceof BerthError, String(error));
        assert.ok(error.message.startsWith('osImage '), error.message);
      }
    }),
    { numRuns: 2_000 },
  );
});
