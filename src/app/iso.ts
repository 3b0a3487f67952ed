// ISO images that customers put into their VMs' CD drives.

import type { FieldFaults } from '../model/errors.ts';
import type { Context } from './context.ts';

/** Looks at what a URL leads to. @returns what is wrong with it; null for an ISO image */
export type IsoReader = (url: URL) => Promise<string | null>;

/**
 * What is wrong with an ISO image's URL that has the form of one, as its server answers now.
 * @param field how the caller calls it
 */
export async function checkIso(context: Context, url: URL, field: string): Promise<FieldFaults> {
  const fault = await context.readIso?.(url);
  return fault ? { [field]: [fault] } : {};
}
