// One disk of a VM and what is done to it.

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Backup, BackupSchedule, Disk, Instance } from '../../../../sdk/generated/types.ts';
import { mib } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm, Dialog } from '../../ui/dialog.tsx';
import { Form, TextField, useForm } from '../../ui/form.tsx';
import { Facts, Section } from '../../ui/page.tsx';
import { VmPicker } from '../../ui/pickers.tsx';
import { When } from '../../ui/words.tsx';
import { Backups, Schedules } from './backups.tsx';

interface DiskCardProps {
  disk: Disk;
  instance: Instance;
  backups: readonly Backup[];
  schedules: readonly BackupSchedule[];
}

const isFirstWords = 'A VM keeps the disk that it is booted from';

/** A disk with its backups and schedules. */
export function DiskCard({ disk, instance, backups, schedules }: DiskCardProps) {
  const [asked, setAsked] = useState<'change' | 'move' | 'delete'>();
  const berth = useBerth();
  const cache = useQueryClient();
  const { allowed } = instance;
  const isFirst = disk.position === 1;
  const close = () => setAsked(undefined);
  const remove = async () => {
    await berth.disks.delete(disk.id);
    await cache.invalidateQueries({ queryKey: ['disks'] });
  };
  return (
    <Section
      title={disk.label}
      actions={
        <>
          <Button
            aria-label={`Resize or rename ${disk.label}`}
            reason={allowed.changeDisks}
            onClick={() => setAsked('change')}
          >
            Resize or rename
          </Button>
          <Button
            aria-label={`Move ${disk.label}`}
            reason={isFirst ? isFirstWords : allowed.removeDisk}
            onClick={() => setAsked('move')}
          >
            Move
          </Button>
          <Button
            variant="danger"
            aria-label={`Delete ${disk.label}`}
            reason={allowed.removeDisk}
            onClick={() => setAsked('delete')}
          >
            Delete
          </Button>
        </>
      }
    >
      <Facts
        facts={[
          ['Size', mib(disk.sizeMib)],
          ['Storage', disk.grade],
          ['Reads and writes', disk.iopsLimit === null ? 'as many as it can' : `${disk.iopsLimit} a second at most`],
          ['Lies in', disk.storagePool],
          ['Created', <When key="created" time={disk.createdAt} />],
        ]}
      />
      <div className="columns parts">
        <Backups disk={disk} instance={instance} backups={backups} />
        <Schedules disk={disk} schedules={schedules} />
      </div>
      {asked === 'change' && <ChangeDisk disk={disk} onClose={close} />}
      {asked === 'move' && <MoveDisk disk={disk} onClose={close} />}
      {asked === 'delete' && (
        <Confirm title={`Delete ${disk.label}?`} act={`Delete ${disk.label}`} onConfirm={remove} onClose={close}>
          <p>
            What is on it is erased, and so are its {backups.length} backups. This can't be undone.
            {isFirst && ' It is the disk that the VM is booted from.'}
          </p>
        </Confirm>
      )}
    </Section>
  );
}

function ChangeDisk({ disk, onClose }: { disk: Disk; onClose(): void }) {
  const berth = useBerth();
  const cache = useQueryClient();
  const before = { label: disk.label, sizeMib: String(disk.sizeMib / 1024), iopsLimit: String(disk.iopsLimit ?? '') };
  const form = useForm(before, async ({ label, sizeMib, iopsLimit }) => {
    await berth.disks.update(disk.id, {
      ...(label === before.label ? {} : { label }),
      ...(sizeMib === before.sizeMib ? {} : { sizeMib: Math.round(Number(sizeMib) * 1024) }),
      ...(iopsLimit === before.iopsLimit ? {} : { iopsLimit: iopsLimit === '' ? null : Number(iopsLimit) }),
    });
    await cache.invalidateQueries({ queryKey: ['disks'] });
    onClose();
  });
  const { values, set, errors } = form;
  return (
    <Dialog title={`Change ${disk.label}`} onClose={onClose}>
      <Form form={form} act="Change it" onCancel={onClose}>
        <TextField label="Name" value={values.label} error={errors.label} onChange={(value) => set('label', value)} />
        <TextField
          label="Size in GiB"
          hint="It can grow, not shrink; the file system on it is its guest's to grow"
          inputMode="decimal"
          value={values.sizeMib}
          error={errors.sizeMib}
          onChange={(value) => set('sizeMib', value)}
        />
        <TextField
          label="Reads and writes a second at most"
          hint="Left empty, as many as it can"
          inputMode="numeric"
          value={values.iopsLimit}
          error={errors.iopsLimit}
          onChange={(value) => set('iopsLimit', value)}
        />
      </Form>
    </Dialog>
  );
}

function MoveDisk({ disk, onClose }: { disk: Disk; onClose(): void }) {
  const berth = useBerth();
  const cache = useQueryClient();
  const form = useForm({ instance: '' }, async ({ instance }) => {
    await berth.disks.move(disk.id, { instance });
    await cache.invalidateQueries({ queryKey: ['disks'] });
    onClose();
  });
  return (
    <Dialog title={`Move ${disk.label}`} onClose={onClose}>
      <Form form={form} act="Move it" onCancel={onClose}>
        <p>It goes to another VM of the same host, with its backups. Both VMs have to be off.</p>
        <VmPicker
          label="To which VM"
          value={form.values.instance}
          error={form.errors.instance}
          onChange={(value) => form.set('instance', value)}
        />
      </Form>
    </Dialog>
  );
}
