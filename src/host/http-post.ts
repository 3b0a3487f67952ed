// One POST over a connection of its own, bounded in time and in what is read of the answer. Redirects are not followed.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';

/** What is sent, and how. */
export interface Post {
  headers: Readonly<Record<string, string>>;
  body: string;
  /** Finds the addresses to connect to; what it refuses is not connected to. */
  lookup: LookupFunction;
  /** Of the answer's body no more is read. */
  answerBytesMax: number;
}

/**
 * Posts and reads the answer.
 * @returns its status
 * @throws Error of the connection; the signal's reason
 */
export function post(url: URL, { headers, body, lookup, answerBytesMax }: Post, signal: AbortSignal): Promise<number> {
  const bytes = Buffer.from(body);
  // Agents of their own: the global one may have been told by the environment to use a proxy, which would connect to
  // addresses that nobody here has seen.
  const options = { method: 'POST', headers: { ...headers, 'content-length': bytes.length }, lookup, signal };
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(signal.aborted ? signal.reason : error);
    const read = (answer: IncomingMessage) => {
      const done = () => {
        resolve(answer.statusCode ?? 0);
        answer.destroy();
      };
      let left = answerBytesMax;
      answer.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (left < 0) done();
      });
      answer.on('end', done);
      answer.on('error', fail);
    };
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, agent: new HttpsAgent({ keepAlive: false }) }, read)
        : httpRequest(url, { ...options, agent: new HttpAgent({ keepAlive: false }) }, read);
    request.on('error', fail);
    request.end(bytes);
  });
}
