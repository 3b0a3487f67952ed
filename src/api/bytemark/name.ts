// Bodies of which only a name is read.

import Type from 'typebox';
import { attributesOf } from './attributes.ts';
import { Attribute } from './shape.ts';

/** Such a body. */
export const NameSchema = Type.Object({ name: Attribute('Text') });

/** The name in a body, where there is one. @throws BerthError `malformed`, InvalidFields */
export function readName(body: unknown): string | undefined {
  const attributes = attributesOf(body);
  const name = attributes.text('name');
  attributes.requireReadable();
  return name;
}
