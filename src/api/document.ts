// The head of each dialect's OpenAPI document.

import { readFileSync } from 'node:fs';
import type { OpenAPIV3_1 } from 'openapi-types';

/** Berth's version, from package.json. */
export const version: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;

/** The head of an OpenAPI document; every operation asks for one of the given security schemes. */
export function openApiDocument(
  title: string,
  description: string,
  securitySchemes: Record<string, OpenAPIV3_1.SecuritySchemeObject>,
): Partial<OpenAPIV3_1.Document> {
  return {
    openapi: '3.1.0',
    info: { title, description, version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    components: { securitySchemes },
    security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
  };
}
