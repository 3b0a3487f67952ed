// A part of a file over HTTP, on a connection of its own, bounded in time by its caller and in what is read. Redirects are
// told and not followed, since where one may lead is its caller's to say.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';

/** What is read, and how. */
export interface PartOfFile {
  firstByte: number;
  length: number;
  /** Finds the addresses to connect to; what it refuses is not connected to. */
  lookup: LookupFunction;
}

/** An answer: where it leads, and the part that was asked for, shorter where the file ends before. */
export interface PartAnswer {
  status: number;
  location: string | null;
  body: Buffer;
}

/**
 * Reads a part of a file. A server that knows no ranges sends the file from its beginning, of which the rest is not awaited.
 * @throws Error of the connection; the signal's reason
 */
export function readPart(url: URL, part: PartOfFile, signal: AbortSignal): Promise<PartAnswer> {
  const { firstByte, length, lookup } = part;
  const headers = {
    range: `bytes=${firstByte}-${firstByte + length - 1}`,
    'accept-encoding': 'identity',
    accept: '*/*',
  };
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(signal.aborted ? signal.reason : error);
    const read = (answer: IncomingMessage) => {
      const status = answer.statusCode ?? 0;
      const skipped = status === 206 ? 0 : firstByte;
      const chunks: Buffer[] = [];
      let bytes = 0;
      const done = () => {
        const body = Buffer.concat(chunks).subarray(skipped, skipped + length);
        resolve({ status, location: answer.headers.location ?? null, body });
        answer.destroy();
      };
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes >= skipped + length) done();
      });
      answer.on('end', done);
      answer.on('error', fail);
    };
    // An agent of its own: the global one may have been told by the environment to use a proxy, which would connect to
    // addresses that nobody here has seen.
    const options = { method: 'GET', headers, lookup, signal };
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, agent: new HttpsAgent({ keepAlive: false }) }, read)
        : httpRequest(url, { ...options, agent: new HttpAgent({ keepAlive: false }) }, read);
    request.on('error', fail);
    request.end();
  });
}
