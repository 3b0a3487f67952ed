// What of an instance can be changed, and its end.

import type { Instance } from '../../../../sdk/generated/types.ts';
import { Ending } from './ending.tsx';
import { CdForm, MachineForm, NameForm } from './machine.tsx';
import { ReimageForm } from './reimage.tsx';

/** The part of an instance's page where it is changed. */
export default function Settings({ instance }: { instance: Instance }) {
  const { vm } = instance;
  // Where somebody else has changed it meanwhile, the forms begin anew with what is so now.
  const key = JSON.stringify([instance.name, instance.group, instance.vcpus, instance.memoryMib, vm]);
  return (
    <>
      <NameForm key={`name ${key}`} instance={instance} />
      {vm && (
        <>
          <MachineForm key={`machine ${key}`} instance={instance} vm={vm} />
          <CdForm key={`cd ${key}`} instance={instance} vm={vm} />
          <ReimageForm instance={instance} />
        </>
      )}
      <Ending instance={instance} />
    </>
  );
}
