// What may be asked of VMs that are made by constraints, in a group, with disks of their own: all that can be told before a place
// is looked for. Nothing is written here, and nothing is fetched.

import { mibPerGib, type Size } from '../model/configuration.ts';
import { additionalGibOf, type Constraints } from '../model/constraints.ts';
import { type DiskAttributes, firstDiskLabel } from '../model/disk.ts';
import { BerthError, type FieldFaults, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { checkImageUrl } from '../model/image.ts';
import { hardwareProfiles } from '../model/machine.ts';
import { checkHostname } from '../model/name.ts';
import { checkPortRules, sshPortRule } from '../model/port-rule.ts';
import type { QuoteRef } from '../model/quote.ts';
import { defaultGrade } from '../model/storage-grade.ts';
import { imagingFaults, vmFaults } from '../model/vm.ts';
import type { NewDeployment } from '../store/deployment.ts';
import type { AtGroup } from './access.ts';
import { checkChosenAddresses } from './address.ts';
import { firstBill } from './billing.ts';
import type { Context } from './context.ts';
import { checkImageHost } from './deployment-request.ts';
import { findUsableImage } from './image.ts';
import { sealSecrets } from './imaging-secret.ts';
import { checkInstances, checkPlaceConstraints, type PlaceFields } from './offer.ts';
import { resolveSshKeys } from './ssh-key.ts';
import { checkDisks, mergeFaults, type NewDisk, requireNone } from './vm-request.ts';

/** VMs as they are asked for; what is null has a default. Strings and numbers are as the customer sent them. */
export interface InstancesRequest {
  count: number;
  name: string;
  hostname: string | null;
  /** The slug of an image of the catalog or of the account's own, or a URL. */
  image: string;
  /** A size of its own; null takes that of a configuration, which the constraints may name. */
  size: { vcpus: number; memoryMib: number; diskGib: number | null } | null;
  /** The one that it starts from first; null is one, as large as the size says. */
  disks: readonly DiskAttributes[] | null;
  constraints: Constraints;
  sshKeys: readonly string[];
  ports: readonly { port: number; protocol: string }[];
  allPortsOpen: boolean;
  rootPassword: string | null;
  firstBootScript: string | null;
  isOn: boolean;
  hardwareProfile: string | null;
  autoreboot: boolean;
  keymap: string | null;
  /** In the group's own network; null leaves them to be chosen. */
  addresses: { ipv4: string | null; ipv6: string | null };
  /** What they are to be placed in; null takes them where the market has room. */
  quote: QuoteRef | null;
}

/** How the dialect calls the fields, so that messages speak the customer's language. */
export type InstancesFields = PlaceFields &
  Record<
    | 'instances'
    | 'name'
    | 'hostname'
    | 'image'
    | 'sshKeys'
    | 'ports'
    | 'configuration'
    | 'vcpus'
    | 'disks'
    | 'addresses',
    string
  >;

/** A request that is right as far as can be told without looking for a place. */
export interface CheckedInstances {
  count: number;
  constraints: Constraints;
  size: { vcpus: number; memoryMib: number } | null;
  /** Null is one as large as the configuration says, with the additional storage. */
  disks: NewDisk[] | null;
  deployment: Omit<NewDeployment, 'vcpus' | 'memoryMib' | 'disks'>;
  quote: QuoteRef | null;
}

/**
 * Holds a request against everything that needs no place.
 * @throws InvalidFields, in the words of the model, and BerthError `invalid_value`, `malformed`
 */
export async function checkInstancesRequest(
  context: Context,
  { account, group, principal }: AtGroup,
  request: InstancesRequest,
  fields: InstancesFields,
): Promise<CheckedInstances> {
  const { count, name, size, rootPassword, firstBootScript, keymap } = request;
  checkInstances(count, fields.instances);
  const disks = disksOf(context, request, fields);
  const { chosen, faults: addressFaults } = await checkChosenAddresses(context, group.id, request.addresses);
  const image = await findImage(context, account.id, request.image, fields.image);
  requireNone(
    mergeFaults(
      vmFaults({ name, ...sizeOf(size), hardwareProfile: request.hardwareProfile ?? undefined, keymap }),
      disks.faults,
      imagingFaults({
        distribution: request.image,
        rootPassword: rootPassword ?? undefined,
        ...{ firstBootScript: firstBootScript ?? undefined, sshPublicKeys: undefined },
      }),
      addressFaults,
    ),
  );
  const hasChosen = chosen.ipv4 !== null || chosen.ipv6 !== null;
  if (hasChosen && count > 1) {
    throw new BerthError('invalid_value', `${fields.addresses} can only be chosen for one instance.`, fields.addresses);
  }
  const ports = checkPortRules(request.ports, fields.ports);
  const isSshListed = ports.some(
    ({ port, protocol }) => port === sshPortRule.port && protocol === sshPortRule.protocol,
  );
  const createdAt = context.clock.now();
  return {
    count,
    constraints: await checkPlaceConstraints(context, request.constraints, fields),
    ...{ size, disks: disks.disks, quote: request.quote },
    deployment: {
      id: newUuid(context.entropy),
      accountId: account.id,
      groupId: group.id,
      actor: principal.actor,
      name,
      hostname: request.hostname === null ? name : checkHostname(request.hostname, fields.hostname),
      imageUrl: image.url,
      imageSha256: image.sha256,
      sshKeys:
        request.sshKeys.length === 0 ? [] : await resolveSshKeys(context, principal, request.sshKeys, fields.sshKeys),
      portRules: isSshListed ? ports : [sshPortRule, ...ports],
      ...(hasChosen ? { addresses: chosen } : {}),
      vm: {
        desired: request.isOn ? 'running' : 'off',
        hardwareProfile: request.hardwareProfile ?? hardwareProfiles[0],
        hardwareProfileLocked: false,
        autoreboot: request.autoreboot,
        cdromUrl: null,
        keymap,
        allPortsOpen: request.allPortsOpen,
        distribution: image.slug,
        sealedSecrets: sealSecrets(context, { rootPassword, firstBootScript }),
      },
      createdAt,
      bill: firstBill(context, createdAt),
    },
  };
}

const sizeOf = (size: InstancesRequest['size']) => (size ? { vcpus: size.vcpus, memoryMib: size.memoryMib } : {});

/** The disks that are asked for, where they are not a configuration's. @throws BerthError where that is said twice, or not at all */
export function disksOf(
  context: Context,
  { size, disks, constraints }: Pick<InstancesRequest, 'size' | 'disks' | 'constraints'>,
  fields: Pick<InstancesFields, 'vcpus' | 'configuration' | 'additionalStorage' | 'disks'>,
): { disks: NewDisk[] | null; faults: FieldFaults } {
  const refuse = (field: string, message: string) => new BerthError('invalid_value', `${field} ${message}`, field);
  if (size && constraints.configuration !== null) {
    throw refuse(
      fields.vcpus,
      `is given beside ${fields.configuration}, which says it already; leave one of them out.`,
    );
  }
  const isSizeAsked = constraints.vcpusMin != null || constraints.memoryMibMin != null;
  if (size && isSizeAsked)
    throw refuse(fields.vcpus, 'is given, so a minimum has nothing to choose from; leave one of them out.');
  if ((size || disks) && additionalGibOf(constraints) > 0) {
    const why =
      "adds to a configuration's own storage, which this request does not take; ask for larger disks instead.";
    throw refuse(fields.additionalStorage, why);
  }
  if (disks && size?.diskGib != null) throw refuse(fields.disks, 'are given, so leave diskGib out.');
  if (size && !disks && size.diskGib === null) throw refuse(fields.disks, 'are left out; give them, or diskGib.');
  const given = disks ?? (size ? [{ sizeMib: (size.diskGib ?? 0) * mibPerGib }] : null);
  if (given?.length === 0) throw refuse(fields.disks, 'are empty; the image has to go on one.');
  if (!given) return { disks: null, faults: {} };
  const checked = checkDisks(
    context,
    given.map((disk) => ({ ...disk, schedules: [] })),
    [],
  );
  return checked;
}

/** The image that a request names. @throws BerthError `invalid_value` */
async function findImage(
  context: Context,
  accountId: string,
  text: string,
  field: string,
): Promise<{ slug: string | null; url: string; sha256: string | null }> {
  const found = await findUsableImage(context, accountId, text);
  if (found && 'image' in found) return found.image;
  if (found) throw new BerthError('invalid_value', `${field} is ${shown(text)}, which ${found.fault}.`, field);
  if (!text.includes('://')) {
    const rule = 'it must be the slug of an image of the catalog or of an own one, or the URL of an image';
    throw new BerthError('invalid_value', `${field} is ${shown(text)}; ${rule}.`, field);
  }
  const url = checkImageUrl(text, field);
  checkImageHost(context, url, field);
  return { slug: null, url: url.href, sha256: null };
}

/** The one disk of a configuration, with the additional storage. */
export const diskOfSize = ({ diskGib }: Size, additionalGib: number): NewDisk => ({
  ...{ label: firstDiskLabel, grade: defaultGrade, sizeMib: (diskGib + additionalGib) * mibPerGib },
});
