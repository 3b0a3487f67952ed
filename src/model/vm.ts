// What a VM may be made of, as far as one can tell without a host: its name, cores, memory, hardware and image. Faults are
// told in the words of Bytemark's API, whose clients know some of them, under its names of the fields.

import type { FieldFaults } from './errors.ts';
import { hardwareProfiles, keymaps } from './machine.ts';
import { nameLengthMax } from './name.ts';

/** Systems that a VM can be booted with in place of its own. */
export const appliances = ['rescue'] as const;

/** Memory is sold in steps of so many MiB. */
export const memoryStepMib = 1024;

/** Names become parts of host names; two letters are taken for the code of a country. */
const vmNameLengthMin = 3;
/** More than any machine has; what a host has left decides. */
const coresMax = 1024;
const memoryMibMax = 16 * 1024 * 1024;
const passwordLengthMax = 128;
/** What a seed volume holds with ease. */
export const firstBootScriptBytesMax = 64 * 1024;

/** What is wrong with a name that is to be part of a host name: of a VM, or of a group. */
export function hostLabelFaults(name: string): string[] {
  if (name.trim() === '') return ["can't be blank"];
  const isLabel = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i.test(name);
  return [
    ...(isLabel ? [] : ['is invalid']),
    ...(name.length < vmNameLengthMin ? [`is too short (minimum is ${vmNameLengthMin} characters)`] : []),
    ...(name.length > nameLengthMax ? [`is too long (maximum is ${nameLengthMax} characters)`] : []),
  ];
}

/** What may be said of a VM when it is made or changed; what is undefined is left as it is. */
export interface VmAttributes {
  name?: string | undefined;
  vcpus?: number | undefined;
  memoryMib?: number | undefined;
  hardwareProfile?: string | undefined;
  keymap?: string | null | undefined;
}

/** What is wrong with attributes of a VM, under the names of Bytemark's API; an empty object where nothing is. */
export function vmFaults({ name, vcpus, memoryMib, hardwareProfile, keymap }: VmAttributes): FieldFaults {
  const isListed = (value: string, list: readonly string[]) => (list.includes(value) ? [] : [notListed]);
  return withoutEmpty({
    name: name === undefined ? [] : hostLabelFaults(name),
    cores: vcpus === undefined ? [] : countFaults(vcpus, 1, coresMax),
    memory: memoryMib === undefined ? [] : isSoldMemory(memoryMib) ? [] : [notListed],
    hardware_profile: hardwareProfile === undefined ? [] : isListed(hardwareProfile, hardwareProfiles),
    keymap: keymap == null ? [] : isListed(keymap, keymaps),
  });
}

/** The sentence for a value that is none of those there are. */
export const notListed = 'is not included in the list';

const isSoldMemory = (mib: number) => Number.isInteger(mib / memoryStepMib) && mib > 0 && mib <= memoryMibMax;

/** What is wrong with a whole number that has bounds. */
export function countFaults(value: number, min: number, max: number): string[] {
  if (!Number.isInteger(value)) return ['must be an integer'];
  if (value < min) return [`must be greater than or equal to ${min}`];
  return value > max ? [`must be less than or equal to ${max}`] : [];
}

/** Faults without the fields that have none. */
export function withoutEmpty(faults: FieldFaults): FieldFaults {
  return Object.fromEntries(Object.entries(faults).filter(([, list]) => list.length > 0));
}

/** What a VM's first disk is made from, and what its system is told when it first runs. */
export interface Imaging {
  distribution: string;
  rootPassword: string | undefined;
  sshPublicKeys: string | undefined;
  firstBootScript: string | undefined;
}

/** What is wrong with an imaging as far as one can tell without the catalog. SSH keys are looked at by who resolves them. */
export function imagingFaults({ distribution, rootPassword, firstBootScript }: Imaging): FieldFaults {
  return withoutEmpty({
    distribution: distribution === '' ? ["can't be blank"] : [],
    root_password: rootPassword === undefined ? [] : passwordFaults(rootPassword),
    firstboot_script: firstBootScript === undefined ? [] : scriptFaults(firstBootScript),
  });
}

function passwordFaults(password: string): string[] {
  // A line break would end the password where a guest's programs read it, and what follows would be another line to them.
  const isOneLine = !/\p{Cc}/u.test(password);
  return [
    ...(isOneLine ? [] : ['is invalid']),
    ...(password.length > passwordLengthMax ? [`is too long (maximum is ${passwordLengthMax} characters)`] : []),
  ];
}

function scriptFaults(script: string): string[] {
  if (script.includes('\0')) return ['is invalid'];
  const isLong = Buffer.byteLength(script) > firstBootScriptBytesMax;
  return isLong ? [`is too long (maximum is ${firstBootScriptBytesMax} characters)`] : [];
}
