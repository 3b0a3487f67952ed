// How a request names an instance: by its id, also in the form that the dialects know.

import { parseInstanceId } from '../../model/id.ts';
import { readId, sampleId } from './id.ts';
import { Text } from './shape.ts';

/** The field of a query or body that names an instance. */
export const InstanceRef = (description: string) => Text(sampleId('instance'), description, { maxLength: 100 });

/**
 * The instance that a request names.
 * @param field where it stands; left out for a path
 * @throws BerthError `not_found` in a path, `invalid_value` in a field
 */
export function readInstance(text: string, field?: string): string {
  return parseInstanceId(text) ?? readId('instance', text, field);
}
