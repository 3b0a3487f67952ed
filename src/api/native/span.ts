// `from` and `to` in a query, as everything about money takes them.

import Type from 'typebox';
import type { Context } from '../../app/context.ts';
import { parseSpan, type Span } from '../../model/moment.ts';
import { Text } from './shape.ts';

/** The fields of a query that say which span of time is meant. */
export const spanQuery = {
  from: Type.Optional(
    Text(
      '2026-11-01',
      'From this day or moment on, in UTC unless it says otherwise; from the beginning where left out',
      {
        maxLength: 40,
      },
    ),
  ),
  to: Type.Optional(
    Text('2026-12-01T00:00:00Z', 'Up to before this day or moment; up to now where left out', { maxLength: 40 }),
  ),
};

/** The span that a query means. @throws BerthError `invalid_value` */
export const readSpan = ({ clock }: Context, query: { from?: string; to?: string }): Span =>
  parseSpan(query, clock.now(), { from: 'from', to: 'to' });

/** How a span is shown: null where nothing was said. */
export const shownSpan = ({ from, to }: Span, query: { from?: string; to?: string }) => ({
  from: query.from === undefined ? null : from.toISOString(),
  to: query.to === undefined ? null : to.toISOString(),
});
