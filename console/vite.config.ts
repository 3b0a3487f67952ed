// How the console is built: into dist/, each file beside itself compressed, so that the server only hands files out.

import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Below this a compressed file costs as many packets as a plain one. */
const compressedFromBytes = 1_024;

/** Files of consoles before this one are taken away after a week: nobody has such a page open still. */
const keptMs = 7 * 86_400_000;

const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  writeBundle({ dir = '' }, bundle) {
    for (const name of Object.keys(bundle).filter((file) => /\.(js|css|svg)$/.test(file))) {
      const path = join(dir, name);
      const bytes = readFileSync(path);
      if (bytes.length < compressedFromBytes) continue;
      writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      writeFileSync(`${path}.br`, brotliCompressSync(bytes));
    }
    const assets = join(dir, 'assets');
    for (const name of readdirSync(assets)) {
      const path = join(assets, name);
      if (Date.now() - statSync(path).mtimeMs > keptMs) rmSync(path);
    }
  },
};

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  plugins: [react(), compressed],
  build: {
    outDir: 'dist',
    // Who has the page open goes on with the files that it came with, and who asks for one in this moment finds it.
    emptyOutDir: false,
    // Nothing inline: the policy of the page forbids it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // One style sheet, which the browser waits for before it shows anything. A sheet of a page's own comes with the page's script, and is
    // not waited for where something else asked for it before, so that the page was seen without it.
    cssCodeSplit: false,
    chunkSizeWarningLimit: 700,
  },
  // `npm run dev:console` beside a server that runs already.
  server: { proxy: { '/berth': { target: process.env.BERTH_URL ?? 'http://127.0.0.1:4180', ws: true } } },
});
