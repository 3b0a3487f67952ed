// Reads what somebody asks to be granted, and on which terms, out of a body.

import { reachAccount, reachGroup, reachVm } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { BerthError, type FieldFaults, InvalidFields } from '../../model/errors.ts';
import { type Grant, type PrivilegeLevel, privilegeLevels, targetOf } from '../../model/privilege.ts';
import { type PrivilegeTerms, parseAddresses } from '../../model/privilege-terms.ts';
import type { Attributes } from './attributes.ts';

/** A year; what is longer is meant to be for ever. */
const ageSecondsMax = 366 * 24 * 60 * 60;

/** What is asked for, but for the user. */
export interface PrivilegeBody {
  grant: Grant;
  apiKey: bigint | null;
  terms: PrivilegeTerms;
}

/**
 * Reads a request for a privilege, and finds the object that it names.
 * @throws InvalidFields
 */
export async function readPrivilegeBody(
  context: Context,
  caller: Caller,
  attributes: Attributes,
): Promise<PrivilegeBody> {
  const given = attributes.filledText('level');
  const level = privilegeLevels.find((one) => one === given);
  const apiKey = attributes.number('api_key_id') || undefined;
  const isKey = apiKey === undefined || (Number.isSafeInteger(apiKey) && apiKey > 0);
  const passwordRequired = attributes.flag('password_required') ?? true;
  const { terms, faults } = readTerms(attributes);
  const fault = given === undefined ? "can't be blank" : 'is not included in the list';
  const all: FieldFaults = {
    ...{ ...attributes.faults, ...faults },
    ...(level ? {} : { level: [fault] }),
    ...(isKey ? {} : { api_key_id: ['is invalid'] }),
  };
  if (!level || Object.keys(all).length > 0) throw new InvalidFields(all);
  return {
    grant: await readGrant(context, caller, attributes, level),
    apiKey: apiKey === undefined ? null : BigInt(apiKey),
    terms: {
      // A key has no password to show.
      passwordRequired: passwordRequired && apiKey === undefined,
      secondFactorRequired: terms.secondFactorRequired ?? false,
      secondFactorAgeSecondsMax: terms.secondFactorAgeSecondsMax ?? null,
      fromAddresses: terms.fromAddresses ?? null,
    },
  };
}

/** The terms that can be changed of a privilege that is there. @throws InvalidFields */
export function readTermsBody(attributes: Attributes): Partial<PrivilegeTerms> {
  const { terms, faults } = readTerms(attributes);
  const all = { ...attributes.faults, ...faults };
  if (Object.keys(all).length > 0) throw new InvalidFields(all);
  return terms;
}

function readTerms(attributes: Attributes): { terms: Partial<PrivilegeTerms>; faults: FieldFaults } {
  const faults: Record<string, string[]> = {};
  const terms: Partial<PrivilegeTerms> = {};
  const required = attributes.flag('yubikey_required');
  if (required !== undefined) terms.secondFactorRequired = required;
  const age = attributes.number('yubikey_otp_max_age');
  if (age !== undefined && (!Number.isSafeInteger(age) || age < 1 || age > ageSecondsMax)) {
    faults.yubikey_otp_max_age = [`must be a number of seconds between 1 and ${ageSecondsMax}`];
  } else if (age !== undefined) terms.secondFactorAgeSecondsMax = age;
  else if (attributes.has('yubikey_otp_max_age')) terms.secondFactorAgeSecondsMax = null;
  const text = readAddressText(attributes);
  if (text !== undefined) {
    const addresses = parseAddresses(text);
    if (addresses === null) faults.ip_restrictions = ['is not a list of IP addresses and ranges'];
    else terms.fromAddresses = addresses.length === 0 ? null : addresses;
  } else if (attributes.has('ip_restrictions')) terms.fromAddresses = null;
  return { terms, faults };
}

/** Addresses may come as a list, too. */
function readAddressText(attributes: Attributes): string | undefined {
  const given = attributes.raw('ip_restrictions');
  return Array.isArray(given) ? given.map(String).join(',') : attributes.text('ip_restrictions');
}

const fields = {
  account: ['account_id', 'account_name'],
  group: ['group_id'],
  virtual_machine: ['virtual_machine_id'],
} as const;

/** The grant of a level on the object that a body names. What the caller can't see is as good as none. */
async function readGrant(
  context: Context,
  caller: Caller,
  attributes: Attributes,
  level: PrivilegeLevel,
): Promise<Grant> {
  const target = targetOf(level);
  if (target === 'cluster') return { level };
  const [field] = fields[target];
  const ref = fields[target].map((name) => attributes.filledText(name)).find((text) => text !== undefined);
  if (ref === undefined) throw new InvalidFields({ [field]: ["can't be blank"] });
  try {
    if (target === 'account') {
      return { level, accountId: (await reachAccount(context, caller, ref, 'see')).account.id };
    }
    if (target === 'group') {
      const { account, group } = await reachGroup(context, caller, { group: ref }, 'see');
      return { level, accountId: account.id, groupId: group.id };
    }
    const { account, group, vm } = await reachVm(context, caller, { vm: ref }, 'see');
    return { level, accountId: account.id, groupId: group.id, instanceId: vm.id };
  } catch (error) {
    if (error instanceof BerthError && error.code === 'not_found') throw new InvalidFields({ [field]: ['is invalid'] });
    throw error;
  }
}
