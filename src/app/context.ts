// What every use case is given: the database, time and chance, the settings, and a way to wake who waits. Nothing in `app`
// reaches for any of these by itself.

import type { Clock, Entropy } from '../model/world.ts';
import type { Database } from '../store/database.ts';
import type { IsoReader } from './iso.ts';
import type { MarketView } from './market.ts';
import type { ImageReader } from './own-image-check.ts';
import type { Settings } from './settings.ts';
import type { Vault } from './vault.ts';
import type { Wakeups } from './wakeups.ts';

/** Where log lines go; pino's shape. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What every use case is given. */
export interface Context {
  database: Database;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  settings: Settings;
  wakeups: Wakeups;
  market: MarketView;
  vault: Vault;
  /** `HOST:PORT` of image servers and registries that may have a private address; Berth's own is one. */
  allowedImageHosts: ReadonlySet<string>;
  /** `HOST:PORT` of webhooks' receivers that may have a private address. */
  allowedCallbackHosts: ReadonlySet<string>;
  /** Looks at customers' ISO images; left out where nothing is fetched for customers. */
  readIso?: IsoReader;
  /** Looks at accounts' own images; left out where nothing is fetched for customers. */
  readImage?: ImageReader;
  /** Set inside a request that is one transaction: does what stays done when the request is refused. */
  apart?: (work: (outside: Context) => Promise<void>) => void;
  /** Set inside a request that is one transaction: the same outside of it, for what is no part of the request. */
  outside?: Context;
  /** Where Berth is reached, such as `http://127.0.0.1:8080`; images that it builds are served below it. */
  publicUrl: string;
}

/** Does something that is no part of the request, and stays done when that is refused. */
export async function apart(context: Context, work: (outside: Context) => Promise<void>): Promise<void> {
  if (context.apart) context.apart(work);
  else await work(context);
}
