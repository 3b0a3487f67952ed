// How VMs end, and how they come back: deleting keeps all that a VM has until it is purged.

import { confirm } from '../ask.ts';
import { imageOf } from '../choose.ts';
import { each, option, type Verb } from '../command.ts';
import { deletedVmKind, find, vmKind } from '../find.ts';
import { forgetHostKey } from '../ssh.ts';
import { readText, sshKey } from '../units.ts';
import { actVerb, yesOption } from '../verbs.ts';
import { untilOver, type WaitOptions, waitOptions } from '../wait.ts';

interface AskOptions extends WaitOptions {
  yes?: boolean;
}

interface ReimageOptions extends AskOptions {
  image: string;
  sshKey?: string[];
  firstBootScript?: string;
}

const isLostForGood = 'Its disks and all of their backups are lost for good, and its addresses go back.';

/** The verbs. */
export const deletionVerbs: readonly Verb[] = [
  actVerb<AskOptions & { purge?: boolean }>({
    usage: 'delete <VM>',
    description: 'delete a VM; it can be brought back until it is purged',
    operation: 'deleteInstance',
    examples: ['vm delete web-1', 'vm delete web-1 --purge --yes --wait'],
    options: [option('--purge', 'for good, at once'), yesOption(), ...waitOptions('it is gone')],
    async act(desk, [text = ''], { yes = false, purge = false, ...wait }) {
      const { id, name } = await find(desk, vmKind, text);
      const loss = purge
        ? isLostForGood
        : `It is switched off. Until it is purged, by you or when its time is up, "berth vm undelete ${name}" brings it back.`;
      await confirm(desk, yes, `Delete VM ${name}? ${loss}`);
      const operation = await desk.berth.instances.delete(id, { purge: purge || undefined });
      const value = wait.wait ? await untilOver(desk, operation, name, wait) : operation;
      return {
        value,
        done: purge
          ? `VM ${name} is deleted for good.`
          : `VM ${name} is deleted; "berth vm undelete ${name}" brings it back.`,
      };
    },
  }),
  actVerb({
    usage: 'undelete <VM>',
    description: 'bring a deleted VM back, switched off',
    operation: 'undeleteInstance',
    examples: ['vm undelete web-1', 'vm undelete web-1 --json'],
    async act(desk, [text = '']) {
      const { id } = await find(desk, deletedVmKind, text);
      const value = await desk.berth.instances.undelete(id);
      return { value, done: `VM ${value.name} is back, switched off; "berth vm start ${value.name}" switches it on.` };
    },
  }),
  actVerb<AskOptions>({
    usage: 'purge <VM>',
    description: 'erase a VM for good, deleted before or not',
    operation: 'purgeInstance',
    examples: ['vm purge web-1', 'vm purge web-1 --yes --wait'],
    options: [yesOption(), ...waitOptions('it is gone')],
    async act(desk, [text = ''], { yes = false, ...wait }) {
      const { id, name } = await find(desk, deletedVmKind, text);
      await confirm(desk, yes, `Erase VM ${name}? ${isLostForGood}`);
      const operation = await desk.berth.instances.purge(id);
      const value = wait.wait ? await untilOver(desk, operation, name, wait) : operation;
      return { value, done: `VM ${name} is ${wait.wait ? 'gone' : 'being erased'}.` };
    },
  }),
  actVerb<ReimageOptions>({
    usage: 'reimage <VM>',
    description: 'make the first disk of a VM anew from an image',
    detail: 'The VM has to be off, and is switched on afterwards. Its other disks stay.',
    operation: 'reimageInstance',
    examples: [
      'vm reimage web-1 --image debian-12 --ssh-key laptop --yes',
      'vm reimage web-1 --image own:shop-1 --ssh-key laptop --wait',
    ],
    options: [
      option('--image <IMAGE>', 'an image of the catalog').makeOptionMandatory(),
      option('--ssh-key <KEY>', 'a file with a public key, or the name of a registered one', each),
      option('--first-boot-script <FILE>', 'run as root at its first boot'),
      yesOption(),
      ...waitOptions('it is done'),
    ],
    async act(desk, [text = ''], { yes = false, image, sshKey: keys = [], firstBootScript, ...wait }) {
      const { id, name } = await find(desk, vmKind, text);
      const slug = await imageOf(desk.berth, image);
      const script = firstBootScript && (await readText(firstBootScript, '--first-boot-script'));
      const sshKeys = await Promise.all(keys.map(sshKey));
      await confirm(desk, yes, `Make VM ${name} anew from ${slug}? What is on its first disk is lost for good.`);
      const value = await desk.berth.instances.reimage(id, {
        image: slug,
        ...(sshKeys.length > 0 ? { sshKeys } : {}),
        ...(script ? { firstBootScript: script } : {}),
      });
      await forgetHostKey(desk.env, id);
      const operation = wait.wait ? await untilOver(desk, value.operation, name, wait) : value.operation;
      const password = value.rootPassword === null ? '' : `\nIts root password, shown once: ${value.rootPassword}`;
      return {
        value: { ...value, operation },
        done: `VM ${name} is ${wait.wait ? '' : 'being '}made anew.${password}`,
      };
    },
  }),
];
