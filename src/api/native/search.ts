// How lists that are read whole are searched: by a part of a name, as one types it into a field that offers what there is.

import Type from 'typebox';
import { Text } from './shape.ts';

/** A field of a list's query. */
export const SearchQuery = Type.Optional(
  Text('web', 'Only with this in their name, in small or capital letters', { maxLength: 100 }),
);

/** Whether a name has what is searched for in it; every name where nothing is. */
export const isFoundBy = (search: string | undefined, name: string): boolean =>
  search === undefined || name.toLowerCase().includes(search.toLowerCase());
