// Forms for what an instance is called and a VM is made of.

import { useQueryClient } from '@tanstack/react-query';
import type { Instance, InstanceChange, InstanceVm } from '../../../../sdk/generated/types.ts';
import { useBerth } from '../../session.tsx';
import { CheckField, Form, SelectField, TextField, useForm } from '../../ui/form.tsx';
import { Section } from '../../ui/page.tsx';
import { GroupPicker } from '../../ui/pickers.tsx';
import { useToast } from '../../ui/toast.tsx';
import { hardwareChoices, hardwareHint } from '../hardware.ts';

/** Changes an instance, and shows it as it is then. */
function useChange({ id, name }: Instance): (change: InstanceChange) => Promise<void> {
  const berth = useBerth();
  const cache = useQueryClient();
  const say = useToast();
  return async (change) => {
    cache.setQueryData(['instances', id], await berth.instances.update(id, change));
    void cache.invalidateQueries({ queryKey: ['instances', 'list'] });
    say(`${change.name ?? name} is changed`);
  };
}

/** What of a form's values differs from what is so. */
const changed = <Values extends object>(values: Values, before: Values): Partial<Values> =>
  Object.fromEntries(
    Object.entries(values).filter(([name, value]) => value !== before[name as keyof Values]),
  ) as Partial<Values>;

/** Its name, and of a VM its group. */
export function NameForm({ instance }: { instance: Instance }) {
  const change = useChange(instance);
  const before = { name: instance.name, group: instance.group };
  const form = useForm(before, (values) => change(changed(values, before)));
  return (
    <Section title="Name">
      <Form form={form} act="Rename" reason={instance.allowed.rename}>
        <div className="row-fields">
          <TextField
            label="Name"
            value={form.values.name}
            error={form.errors.name}
            onChange={(value) => form.set('name', value)}
          />
          {instance.kind === 'vm' && (
            <GroupPicker
              label="Group"
              hint="Its network, and the account that pays for it, are the group's"
              value={form.values.group}
              error={form.errors.group}
              onChange={(value) => form.set('group', value)}
            />
          )}
        </div>
      </Form>
    </Section>
  );
}

interface VmProps {
  instance: Instance;
  vm: InstanceVm;
}

/** Its processors, memory and hardware. */
export function MachineForm({ instance, vm }: VmProps) {
  const change = useChange(instance);
  const before = {
    vcpus: String(instance.vcpus),
    memoryMib: String(instance.memoryMib / 1024),
    hardwareProfile: vm.hardwareProfile,
    hardwareProfileLocked: vm.hardwareProfileLocked,
    autoreboot: vm.autoreboot,
    keymap: vm.keymap ?? '',
  };
  const form = useForm(before, (values) => {
    const { vcpus, memoryMib, keymap, ...rest } = changed(values, before);
    return change({
      ...rest,
      ...(vcpus === undefined ? {} : { vcpus: Number(vcpus) }),
      ...(memoryMib === undefined ? {} : { memoryMib: Math.round(Number(memoryMib) * 1024) }),
      ...(keymap === undefined ? {} : { keymap: keymap || null }),
    });
  });
  const { values, set, errors } = form;
  return (
    <Section title="Machine">
      <p className="fine">Size and hardware count from its next start on: power cycle it, or stop and start it.</p>
      <Form form={form} act="Change the machine" reason={instance.allowed.changeMachine}>
        <div className="row-fields">
          <TextField
            label="vCPUs"
            inputMode="numeric"
            value={values.vcpus}
            error={errors.vcpus}
            onChange={(value) => set('vcpus', value)}
          />
          <TextField
            label="Memory in GiB"
            inputMode="numeric"
            value={values.memoryMib}
            error={errors.memoryMib}
            onChange={(value) => set('memoryMib', value)}
          />
          <SelectField
            label="Hardware"
            hint={hardwareHint}
            value={values.hardwareProfile}
            error={errors.hardwareProfile}
            choices={hardwareChoices}
            onChange={(value) => set('hardwareProfile', value)}
          />
          <TextField
            label="Keyboard"
            hint="Layout of its consoles, as en-gb or de"
            value={values.keymap}
            error={errors.keymap}
            onChange={(value) => set('keymap', value)}
          />
        </div>
        <CheckField
          label="Its hardware stays as it is when Berth offers newer"
          checked={values.hardwareProfileLocked}
          onChange={(value) => set('hardwareProfileLocked', value)}
        />
        <CheckField
          label="Comes back on when it switches off"
          hint="After a stop or a shutdown, too"
          checked={values.autoreboot}
          onChange={(value) => set('autoreboot', value)}
        />
      </Form>
    </Section>
  );
}

/** What is in its CD drive. */
export function CdForm({ instance, vm }: VmProps) {
  const change = useChange(instance);
  const before = vm.cdromUrl ?? '';
  const form = useForm({ cdromUrl: before }, ({ cdromUrl }) => change({ cdromUrl: cdromUrl.trim() || null }));
  return (
    <Section title="CD">
      <Form
        form={form}
        act={form.values.cdromUrl === '' ? 'Take the CD out' : 'Put it in'}
        reason={
          instance.allowed.changeMachine ??
          (before === '' && form.values.cdromUrl === '' ? 'There is none in it.' : null)
        }
      >
        <TextField
          label="URL of a CD image"
          hint="It is booted from where the first disk can't be"
          type="url"
          value={form.values.cdromUrl}
          error={form.errors.cdromUrl}
          onChange={(value) => form.set('cdromUrl', value)}
        />
      </Form>
    </Section>
  );
}
