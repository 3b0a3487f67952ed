// What is put on a VM's first disc, as it is asked for and repeated. The password is in that one answer and in no later one.

import Type, { type Static } from 'typebox';
import type { Imaging } from '../../model/vm.ts';
import type { Attributes } from './attributes.ts';

export const ReimageSchema = Type.Object({
  distribution: Type.String(),
  root_password: Type.Optional(Type.String()),
});

/** What to put on a disc. Clients send empty texts for what they don't use. */
export const readImaging = (given: Attributes): Imaging => ({
  distribution: given.text('distribution') ?? '',
  rootPassword: given.filledText('root_password'),
  sshPublicKeys: given.filledText('ssh_public_key'),
  firstBootScript: given.filledText('firstboot_script'),
});

/** What was asked for, repeated. */
export const toReimage = ({ distribution, rootPassword }: Imaging): Static<typeof ReimageSchema> => ({
  distribution,
  ...(rootPassword === undefined ? {} : { root_password: rootPassword }),
});
