// What few choose of a VM's machine: its hardware, its keyboard, what happens when it switches off, addresses of its group's own network.

import { useState } from 'react';
import { CheckField, SelectField, TextField } from '../../ui/form.tsx';
import { Section } from '../../ui/page.tsx';
import { type HardwareProfile, hardwareChoices, hardwareHint } from '../hardware.ts';
import type { PartProps } from './vm-form.tsx';

const names = ['hardwareProfile', 'keymap', 'ipv4', 'ipv6'] as const;

/** The part of the form. It is closed until somebody wants it, or something in it is refused. */
export function MachinePart({ values, set, field }: PartProps) {
  const [isOpen, setOpen] = useState(false);
  const isRefused = names.some((name) => field(name).error !== undefined);
  if (isRefused && !isOpen) setOpen(true);
  const isOne = Number(values.count) === 1;
  return (
    <Section title="Its machine and network">
      <details className="finer" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>Hardware, keyboard and addresses</summary>
        <div className="row-fields">
          <SelectField
            label="Hardware"
            hint={hardwareHint}
            value={values.hardwareProfile}
            error={field('hardwareProfile').error}
            choices={hardwareChoices}
            onChange={(value) => set('hardwareProfile', value as HardwareProfile)}
          />
          <TextField label="Keyboard" hint="Layout of its consoles, as en-gb or de" {...field('keymap')} />
        </div>
        <CheckField
          label="Comes back on when it switches off"
          hint="After a stop or a shutdown, too"
          checked={values.autoreboot}
          onChange={(isOn) => set('autoreboot', isOn)}
        />
        {isOne ? (
          <div className="row-fields">
            <TextField
              label="IPv4 address"
              hint="In a range of its group’s own network; chosen for it unless given"
              placeholder="Any"
              {...field('ipv4')}
            />
            <TextField label="IPv6 address" hint="The same" placeholder="Any" {...field('ipv6')} />
          </div>
        ) : (
          <p className="hint">Addresses are chosen for one VM at a time.</p>
        )}
      </details>
    </Section>
  );
}
