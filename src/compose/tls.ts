// HTTPS beside HTTP: a second listener for the same routes. Its certificate is the operator's, or one signed by an authority that
// Berth makes for itself at the first start, and renews before it ends. Clients trust that one when they are given `ca.crt`.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { isUpgraded } from '../api/server.ts';
import type { App } from '../api/types.ts';
import { answerUnreadable } from '../api/unreadable.ts';
import type { Logger } from '../app/context.ts';
import { writeDurably } from '../host/durable-file.ts';
import type { Clock, Entropy } from '../model/world.ts';
import type { Credential } from './certificate.ts';
import { type ListenAddress, urlOf } from './listen.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** A certificate is renewed this long before it ends: long enough for anybody to notice that it was not. */
const renewalMs = 30 * dayMs;
const defaultLookEveryMs = dayMs / 2;

/** How HTTPS is served. */
export interface TlsOptions {
  listen: ListenAddress;
  /** Any other port does as well where this one is taken. */
  anyPort?: boolean;
  /** The operator's own certificate, its chain behind it, and its key: paths of PEM files. */
  files?: { certificate: string; key: string } | undefined;
  /** Where Berth keeps what it makes for itself. */
  directory: string;
  /** How often it is looked whether there is a newer certificate, or need of one; half a day when left out. */
  lookEveryMs?: number;
}

/** What this is given of the server. */
export interface TlsGround {
  app: App;
  /** Takes what is no request of the app's, such as WebSockets. */
  attach(server: Server): void;
  /** By which names and addresses the server is reached, besides those of this machine itself. */
  hosts: readonly string[];
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
}

/** HTTPS that is served. */
export interface RunningTls {
  url: string;
  /** What clients have to trust; null where the operator's certificate is served. */
  authorityFile: string | null;
  close(): Promise<void>;
}

/**
 * Serves an app by HTTPS, too.
 * @throws Error that says what is wrong with the certificate, or that the address is taken
 */
export async function startTls(ground: TlsGround, options: TlsOptions): Promise<RunningTls> {
  const { app, attach, logger } = ground;
  const { files, directory, lookEveryMs = defaultLookEveryMs } = options;
  const credential = () => (files ? readFiles(files) : ensureCredential(ground, options));
  const first = await credential();
  const { certificate: cert, key } = first;
  const server = createServer({ cert, key, shouldUpgradeCallback: isUpgraded }, (request, response) => {
    app.routing(request, response);
  });
  const { requestTimeout, headersTimeout, keepAliveTimeout } = app.server;
  Object.assign(server, { requestTimeout, headersTimeout, keepAliveTimeout });
  server.on('clientError', (error, socket) => answerUnreadable(error, socket as never));
  attach(server);
  const port = await listen(server, options);
  const renew = async () => {
    try {
      const { certificate, key } = await credential();
      server.setSecureContext({ cert: certificate, key });
    } catch (error) {
      logger.warn({ err: error }, 'the certificate for HTTPS could not be renewed; the one before stays in use');
    }
  };
  const looking = setInterval(renew, lookEveryMs).unref();
  return {
    url: urlOf({ host: options.listen.host, port }).replace('http:', 'https:'),
    authorityFile: files ? null : join(directory, 'ca.crt'),
    close() {
      clearInterval(looking);
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** @returns the port */
async function listen(server: Server, { listen: { host, port }, anyPort }: TlsOptions): Promise<number> {
  const at = (wanted: number) =>
    new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port: wanted }, () => {
        server.off('error', reject);
        const address = server.address();
        resolve(typeof address === 'object' && address ? address.port : wanted);
      });
    });
  return at(port).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE' && anyPort) return at(0);
    throw error;
  });
}

async function readFiles(files: { certificate: string; key: string }): Promise<Credential> {
  const [certificate, key] = await Promise.all([readFile(files.certificate, 'utf8'), readFile(files.key, 'utf8')]);
  if (!belongTogether({ certificate, key })) throw new Error(`${files.key} is not the key of ${files.certificate}.`);
  return { certificate, key };
}

/** The certificate that is kept, or a new one where there is none, it ends soon, or the server is reached by other names. */
async function ensureCredential(
  { hosts, clock, entropy, logger }: TlsGround,
  { listen: { host }, directory }: TlsOptions,
): Promise<Credential> {
  const now = clock.now();
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const wanted = [...new Set(['localhost', ...ownHosts(host), ...hosts])];
  // Loaded where it is needed: most starts find what they need.
  const signer = () => import('./certificate.ts');
  let authority = await readCredential(directory, 'ca');
  if (!authority || endsSoon(authority, now)) {
    authority = (await signer()).makeAuthority(`Berth at ${hostname()}`, now, entropy);
    await writeCredential(directory, 'ca', authority);
    logger.info({ file: join(directory, 'ca.crt') }, 'an authority for HTTPS was made; clients have to trust it');
  }
  const known = await readCredential(directory, 'server');
  if (known && !endsSoon(known, now) && isSignedBy(known, authority) && isFor(known, wanted)) return known;
  const server = (await signer()).signForServer(authority, wanted, now, entropy);
  await writeCredential(directory, 'server', server);
  return server;
}

/** What this machine is called when it listens there. */
function ownHosts(host: string): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host, '127.0.0.1', '::1'];
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return [hostname(), ...addresses.filter(({ scopeid }) => !scopeid).map(({ address }) => address)];
}

const belongTogether = ({ certificate, key }: Credential) =>
  new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));

const endsSoon = ({ certificate }: Credential, now: Date) =>
  new X509Certificate(certificate).validToDate.getTime() - now.getTime() < renewalMs;

function isSignedBy({ certificate }: Credential, authority: Credential): boolean {
  const issuer = new X509Certificate(authority.certificate);
  const own = new X509Certificate(certificate);
  return own.checkIssued(issuer) && own.verify(issuer.publicKey);
}

function isFor({ certificate }: Credential, hosts: readonly string[]): boolean {
  const own = new X509Certificate(certificate);
  const names = (host: string) => (isIP(host) ? own.checkIP(host) : own.checkHost(host, { subject: 'never' }));
  return hosts.every((host) => names(host) !== undefined);
}

/** `NAME.crt` and `NAME.key`; undefined where either is missing, or they don't belong together. */
async function readCredential(directory: string, name: string): Promise<Credential | undefined> {
  const read = (file: string) =>
    readFile(join(directory, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
  const [certificate, key] = await Promise.all([read(`${name}.crt`), read(`${name}.key`)]);
  if (certificate === undefined || key === undefined) return undefined;
  return belongTogether({ certificate, key }) ? { certificate, key } : undefined;
}

async function writeCredential(directory: string, name: string, { certificate, key }: Credential): Promise<void> {
  await writeDurably(join(directory, `${name}.key`), key);
  await writeDurably(join(directory, `${name}.crt`), certificate);
  // The certificate is for everybody; its key stays its owner's alone.
  await chmod(join(directory, `${name}.crt`), 0o644);
}
