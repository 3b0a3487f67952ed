// The disks of a VM, each with its backups and when they are made.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Instance, NewDisk } from '../../../../sdk/generated/types.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../../ui/form.tsx';
import { Empty, Failure, Loading } from '../../ui/state.tsx';
import { Copyable } from '../../ui/words.tsx';
import { DiskCard } from './disk.tsx';

const grades = [
  { value: 'sata', label: 'sata: plain' },
  { value: 'ssd', label: 'ssd: fast' },
  { value: 'archive', label: 'archive: slow and cheap' },
];

/** As many as a page of the server's holds: more disks, or backups, than a VM has. */
const most = 200;

/** The disks of a VM. */
export default function Disks({ instance }: { instance: Instance }) {
  const berth = useBerth();
  const { id } = instance;
  const [isAdding, setAdding] = useState(false);
  const disks = useQuery({
    queryKey: ['disks', 'list', { instance: id }],
    queryFn: () => berth.disks.list({ instance: id, limit: most }).page(),
  });
  const backups = useQuery({
    queryKey: ['backups', 'list', { instance: id }],
    queryFn: () => berth.backups.list({ instance: id, limit: most }).page(),
  });
  const schedules = useQuery({
    queryKey: ['backup-schedules', 'list', { instance: id }],
    queryFn: () => berth.backupSchedules.list({ instance: id, limit: most }).page(),
  });
  const error = disks.error ?? backups.error ?? schedules.error;
  return (
    <>
      <div className="section-head">
        <p className="fine">
          The first is booted from. A guest that runs sees a new disk, and that one has grown, at once.
        </p>
        <Button variant="primary" reason={instance.allowed.changeDisks} onClick={() => setAdding(true)}>
          Add a disk
        </Button>
      </div>
      {error && (
        <Failure error={error} onRetry={() => Promise.all([disks, backups, schedules].map((one) => one.refetch()))} />
      )}
      {disks.isPending && <Loading what="Reading its disks" />}
      {disks.data?.items.length === 0 && (
        <Empty title="No disks">
          {instance.allowed.changeDisks === null ? (
            <>
              <p>A disk keeps what its VM writes, and goes with it. The first is booted from. On the command line:</p>
              <Copyable text={`berth disk add ${instance.name} 20GiB`} label="command line" />
            </>
          ) : (
            <p>What has ended holds no disks any more.</p>
          )}
        </Empty>
      )}
      {[...(disks.data?.items ?? [])]
        .sort((one, other) => one.position - other.position)
        .map((disk) => (
          <DiskCard
            key={disk.id}
            disk={disk}
            instance={instance}
            backups={(backups.data?.items ?? []).filter((one) => one.disk === disk.id)}
            schedules={(schedules.data?.items ?? []).filter((one) => one.disk === disk.id)}
          />
        ))}
      {isAdding && <AddDisk instance={instance} onClose={() => setAdding(false)} />}
    </>
  );
}

function AddDisk({ instance: { id, name }, onClose }: { instance: Instance; onClose(): void }) {
  const berth = useBerth();
  const cache = useQueryClient();
  const form = useForm({ label: '', grade: 'sata', sizeMib: '10' }, async ({ label, grade, sizeMib }) => {
    const disk: NewDisk = {
      ...(label ? { label } : {}),
      grade: grade as NonNullable<NewDisk['grade']>,
      sizeMib: Math.round(Number(sizeMib) * 1024),
    };
    await berth.disks.create(id, disk);
    await cache.invalidateQueries({ queryKey: ['disks'] });
    onClose();
  });
  const { values, set, errors } = form;
  return (
    <Dialog title={`Add a disk to ${name}`} onClose={onClose}>
      <Form form={form} act="Add the disk" onCancel={onClose}>
        <TextField
          label="Size in GiB"
          inputMode="decimal"
          value={values.sizeMib}
          error={errors.sizeMib}
          onChange={(value) => set('sizeMib', value)}
        />
        <SelectField
          label="Kind of storage"
          value={values.grade}
          error={errors.grade}
          choices={grades}
          onChange={(value) => set('grade', value)}
        />
        <TextField
          label="Name"
          hint="Left out, it gets one"
          value={values.label}
          error={errors.label}
          onChange={(value) => set('label', value)}
        />
      </Form>
    </Dialog>
  );
}
