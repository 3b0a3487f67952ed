// Log lines: one JSON object each, without secrets.

import type { Writable } from 'node:stream';
import { type Logger, pino, stdSerializers } from 'pino';

/** Header and field names whose values never stand in a log, however they got there. */
const secrets = ['authorization', 'x-api-key', 'apiKey', 'password', 'token', 'credential'];

/** A logger that writes to a stream; `BERTH_LOG` sets the level. */
export function makeLogger(stream: Writable): Logger {
  return pino(
    {
      name: 'berth',
      level: process.env.BERTH_LOG ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secrets.flatMap((name) => [`["${name}"]`, `*["${name}"]`]), censor: '[secret]' },
      serializers: { err: stdSerializers.err },
    },
    stream,
  );
}
