// `createdAfter` and `createdBefore` in a query, which narrow lists of what is made all the time.

import Type from 'typebox';
import { Text } from './shape.ts';
import { readTime } from './time.ts';

/** The fields of a query that say when what is listed was made. */
export const momentFilter = {
  createdAfter: Type.Optional(
    Text('2026-11-01T00:00:00Z', 'Only what was made at this moment or later', { maxLength: 40 }),
  ),
  createdBefore: Type.Optional(
    Text('2030-01-01T00:00:00Z', 'Only what was made before this moment', { maxLength: 40 }),
  ),
};

/** What {@link momentFilter} asks for. @throws BerthError `invalid_value` */
export const readMomentFilter = ({
  createdAfter,
  createdBefore,
}: {
  createdAfter?: string;
  createdBefore?: string;
}) => ({
  createdAfter: createdAfter === undefined ? undefined : readTime(createdAfter, 'createdAfter'),
  createdBefore: createdBefore === undefined ? undefined : readTime(createdBefore, 'createdBefore'),
});
