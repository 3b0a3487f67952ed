// A container's output on its way from the host to whoever reads it now.

import Type, { type Static } from 'typebox';
import { logEndings, logLineLengthMax, logLinesMax } from '../../../model/log.ts';
import { InstanceId, integerMax } from './field.ts';

/** Streams that a host sends at once; it passes over what goes beyond. */
export const streamsMax = 100;

/** A batch of a stream that grows, in bytes of JSON: it goes out when it has as many, or when the last one has arrived. */
export const streamBatchBytesMax = 256 * 1024;

/** A stream about which there is nothing to say sends an empty batch this often; the server gives up on it after 10 s. */
export const streamSignMs = 5_000;

/** A container's output that somebody reads now. The host sends it in batches, to the stream's own path. */
export const StreamSchema = Type.Object({
  id: Type.String(),
  instanceId: InstanceId,
  tail: Type.Integer({ minimum: 0, maximum: logLinesMax }),
  since: Type.Union([Type.String(), Type.Null()]),
  follow: Type.Boolean(),
});
export type Stream = Static<typeof StreamSchema>;

/** A part of a stream. They are numbered from 1 on; one whose answer was lost is sent again under its number. */
export const StreamBatchSchema = Type.Object({
  sequence: Type.Integer({ minimum: 1, maximum: integerMax }),
  lines: Type.Array(
    Type.Object({
      timestamp: Type.String({ maxLength: 64 }),
      stream: Type.Union([Type.Literal('stdout'), Type.Literal('stderr')]),
      line: Type.String({ maxLength: logLineLengthMax }),
    }),
    { maxItems: logLinesMax },
  ),
  // In the last one: why no more come.
  ending: Type.Optional(Type.Enum([...logEndings])),
});
export type StreamBatch = Static<typeof StreamBatchSchema>;

/**
 * What becomes of a batch. A stream that is not `wanted` any longer is not gone on with; a batch that is not `accepted` has
 * found no room, since its reader is slow, and is sent again.
 */
export const StreamAnswerSchema = Type.Object({ wanted: Type.Boolean(), accepted: Type.Boolean() });
export type StreamAnswer = Static<typeof StreamAnswerSchema>;
