// Writes each dialect's OpenAPI document from its own routes. The documents are committed; a test holds them to the code.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../app/context.ts';
import { bareServer, dialects } from './server.ts';
import type { App } from './types.ts';

/** The text of every document, by file name. */
export async function openApiDocuments(): Promise<Map<string, string>> {
  const documents = new Map<string, string>();
  for (const dialect of dialects) {
    const app = bareServer(false, () => '');
    let scope: App | undefined;
    await app.register(async (child) => {
      scope = child as App;
      // No request is served, so the routes need no context.
      await dialect.plugin(scope, { context: {} as Context });
    });
    await app.ready();
    documents.set(`${dialect.name}.json`, `${JSON.stringify(scope?.swagger(), null, 2)}\n`);
    await app.close();
  }
  return documents;
}

/** Writes the documents into a folder. */
export async function writeOpenApi(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, text] of await openApiDocuments()) await writeFile(join(directory, name), text);
}
