// The `Berth-Quote` header, with which clients that know nothing of quotes use one: every dialect reads it alike where something is
// made.

import type { IncomingHttpHeaders } from 'node:http';
import Type from 'typebox';
import type { QuoteRef } from '../model/quote.ts';
import { readId, sampleId } from './native/id.ts';

const headerName = 'Berth-Quote';

/** How the header stands in a document. */
export const quoteHeader = {
  'berth-quote': Type.Optional(
    Type.String({
      maxLength: 100,
      description: `A quote of Berth's own API, such as ${sampleId('quote')}: what is made takes the room that it holds, at its price. What is not taken of it is let go.`,
    }),
  ),
};

/**
 * The quote that a request names in its header; undefined where it names none.
 * @throws BerthError `invalid_value` when it can't be one
 */
export function readQuoteHeader({ headers }: { headers: IncomingHttpHeaders }): QuoteRef | undefined {
  const given = headers['berth-quote'];
  if (given === undefined || given === '') return undefined;
  const shown = String(given);
  return { id: readId('quote', shown, headerName), shown, field: headerName };
}
