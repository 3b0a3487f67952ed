// The backups of a disk: made now or by a schedule, put back, removed.

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Backup, BackupSchedule, Disk, Instance } from '../../../../sdk/generated/types.ts';
import { at, many, mib } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { useAct } from '../../ui/act.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm, Dialog } from '../../ui/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../../ui/form.tsx';
import { Badge, When } from '../../ui/words.tsx';

const isOn = 'its VM is not off; stop it first';

/** Has all about disks read again. */
function useDisksChanged(): () => Promise<unknown> {
  const cache = useQueryClient();
  return () =>
    Promise.all(['disks', 'backups', 'backup-schedules'].map((noun) => cache.invalidateQueries({ queryKey: [noun] })));
}

interface BackupsProps {
  disk: Disk;
  instance: Instance;
  backups: readonly Backup[];
}

/** The backups of a disk, the newest first. */
export function Backups({ disk, instance, backups }: BackupsProps) {
  const berth = useBerth();
  const changed = useDisksChanged();
  const [busy, act] = useAct();
  const [asked, setAsked] = useState<{ what: 'restore' | 'delete'; backup: Backup }>();
  const newest = [...backups].sort((one, other) => other.createdAt.localeCompare(one.createdAt));
  const make = () => berth.backups.create(disk.id).then(changed);
  const close = () => setAsked(undefined);
  return (
    <div>
      <div className="section-head">
        <h3>Backups</h3>
        <Button
          aria-label={`Back up now: ${disk.label}`}
          busy={busy}
          reason={instance.allowed.changeDisks}
          onClick={() => void act(make, `${disk.label} is being backed up`)}
        >
          Back up now
        </Button>
      </div>
      {newest.length === 0 && <p className="fine">None. A backup is a copy of the disk as it is at that moment.</p>}
      <ul className="rows" aria-label={`Backups of ${disk.label}`}>
        {newest.map((backup) => (
          <li key={backup.id}>
            <span>
              {backup.label} <span className="fine">{mib(backup.sizeMib)}, </span>
              <span className="fine">
                <When time={backup.createdAt} />
                {backup.schedule && ', by schedule'}
              </span>{' '}
              {backup.state === 'wanted' && <Badge tone="busy">being made</Badge>}
              {disk.restoredFrom === backup.id && <Badge tone="good">restored</Badge>}
            </span>
            <span className="row-acts">
              <Button
                className="button-small"
                aria-label={`Restore ${backup.label}`}
                reason={
                  backup.state === 'wanted'
                    ? 'it is not made yet'
                    : (instance.allowed.changeDisks ?? (instance.status === 'stopped' ? null : isOn))
                }
                onClick={() => setAsked({ what: 'restore', backup })}
              >
                Restore
              </Button>
              <Button
                className="button-small"
                variant="danger"
                aria-label={`Delete ${backup.label}`}
                onClick={() => setAsked({ what: 'delete', backup })}
              >
                Delete
              </Button>
            </span>
          </li>
        ))}
      </ul>
      {asked?.what === 'restore' && (
        <Confirm
          title={`Restore ${asked.backup.label}?`}
          act={`Restore ${disk.label}`}
          onConfirm={() => berth.backups.restore(asked.backup.id).then(changed)}
          onClose={close}
        >
          <p>
            {disk.label} becomes what it was at {at(asked.backup.createdAt)}. What it holds now is backed up before
            that, so it can be undone.
          </p>
        </Confirm>
      )}
      {asked?.what === 'delete' && (
        <Confirm
          title={`Delete ${asked.backup.label}?`}
          act={`Delete ${asked.backup.label}`}
          onConfirm={() => berth.backups.delete(asked.backup.id).then(changed)}
          onClose={close}
        >
          <p>The copy of {at(asked.backup.createdAt)} is gone for good; the disk itself stays as it is.</p>
        </Confirm>
      )}
    </div>
  );
}

const intervals = [
  { value: '3600', label: 'Every hour' },
  { value: '21600', label: 'Every 6 hours' },
  { value: '86400', label: 'Every day' },
  { value: '604800', label: 'Every week' },
];

const intervalWords = (seconds: number) =>
  intervals.find(({ value }) => value === String(seconds))?.label ??
  `Every ${many(Math.round(seconds / 60), 'minute')}`;

/** When backups of a disk are made by themselves. */
export function Schedules({ disk, schedules }: { disk: Disk; schedules: readonly BackupSchedule[] }) {
  const berth = useBerth();
  const changed = useDisksChanged();
  const [busy, act] = useAct();
  const [isAdding, setAdding] = useState(false);
  return (
    <div>
      <div className="section-head">
        <h3>Schedules</h3>
        <Button aria-label={`Add a schedule for ${disk.label}`} onClick={() => setAdding(true)}>
          Add
        </Button>
      </div>
      {schedules.length === 0 && <p className="fine">None. A schedule backs the disk up by itself.</p>}
      <ul className="rows" aria-label={`Schedules of ${disk.label}`}>
        {schedules.map(({ id, intervalSeconds, startAt, capacity }) => (
          <li key={id}>
            <span>
              {intervalWords(intervalSeconds)}{' '}
              <span className="fine">
                from {at(startAt)} on; {capacity} kept
              </span>
            </span>
            <Button
              className="button-small"
              variant="danger"
              aria-label={`End this schedule of ${disk.label}`}
              busy={busy}
              onClick={() => void act(() => berth.backupSchedules.delete(id).then(changed), 'The schedule has ended')}
            >
              End
            </Button>
          </li>
        ))}
      </ul>
      {isAdding && <AddSchedule disk={disk} onClose={() => setAdding(false)} />}
    </div>
  );
}

function AddSchedule({ disk, onClose }: { disk: Disk; onClose(): void }) {
  const berth = useBerth();
  const changed = useDisksChanged();
  const before = { startAt: '03:30', intervalSeconds: '86400', capacity: '7' };
  const form = useForm(before, async ({ startAt, intervalSeconds, capacity }) => {
    const schedule = { startAt, intervalSeconds: Number(intervalSeconds), capacity: Number(capacity) };
    await berth.backupSchedules.create(disk.id, schedule);
    await changed();
    onClose();
  });
  const { values, set, errors } = form;
  return (
    <Dialog title={`Back ${disk.label} up by itself`} onClose={onClose}>
      <Form form={form} act="Add the schedule" onCancel={onClose}>
        <TextField
          label="First at"
          hint="A time of day in UTC, as 03:30, or a date and time"
          value={values.startAt}
          error={errors.startAt}
          onChange={(value) => set('startAt', value)}
        />
        <SelectField
          label="How often"
          value={values.intervalSeconds}
          error={errors.intervalSeconds}
          choices={intervals}
          onChange={(value) => set('intervalSeconds', value)}
        />
        <TextField
          label="How many are kept"
          hint="The oldest makes room for the newest"
          inputMode="numeric"
          value={values.capacity}
          error={errors.capacity}
          onChange={(value) => set('capacity', value)}
        />
      </Form>
    </Dialog>
  );
}
