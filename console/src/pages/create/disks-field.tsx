// The disks of a new VM, where it is to have more than the one that its size has, or one of another grade.

import { Button } from '../../ui/button.tsx';
import { SelectField, TextField } from '../../ui/form.tsx';
import { type DiskValues, usualGrade, type VmValues } from './vm-body.ts';

/** As many as a VM may have; the server says so, too. */
const disksMax = 8;
const newDisk: DiskValues = { sizeGib: '10', grade: usualGrade };

const grades: { value: DiskValues['grade']; label: string }[] = [
  { value: 'sata', label: 'sata: for most' },
  { value: 'ssd', label: 'ssd: for databases' },
  { value: 'archive', label: 'archive: for what is seldom read' },
];

interface DisksFieldProps {
  value: VmValues['disks'];
  /** How large the one disk is that the size has, in GiB. */
  firstGib: string;
  error: string | undefined;
  onChange(value: VmValues['disks']): void;
}

/** The field. */
export function DisksField({ value, firstGib, error, onChange }: DisksFieldProps) {
  const change = (at: number, disk: Partial<DiskValues>) =>
    onChange(value.map((one, index) => (index === at ? { ...one, ...disk } : one)));
  // Which one the server complains of, where it says.
  const wrong = Number(/disks\[(\d+)\]/.exec(error ?? '')?.[1] ?? Number.NaN);
  if (value.length === 0) {
    return (
      <Button onClick={() => onChange([{ ...newDisk, sizeGib: firstGib }, newDisk])}>
        Choose its disks one by one
      </Button>
    );
  }
  return (
    <fieldset className="plain-fieldset disks">
      <legend>Disks</legend>
      {value.map((disk, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a disk that is not made yet has no other name
        <div key={index} className="disk-row">
          <TextField
            label={`Disk ${index + 1}, GiB`}
            inputMode="decimal"
            value={disk.sizeGib}
            error={index === wrong ? error : undefined}
            onChange={(sizeGib) => change(index, { sizeGib })}
          />
          <SelectField
            label={`Grade of disk ${index + 1}`}
            value={disk.grade}
            choices={grades}
            onChange={(grade) => change(index, { grade: grade as DiskValues['grade'] })}
          />
          <Button
            aria-label={`Leave out disk ${index + 1}`}
            onClick={() => onChange(value.filter((_, at) => at !== index))}
          >
            Leave out
          </Button>
        </div>
      ))}
      {error && Number.isNaN(wrong) && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
      <p className="hint">It starts from the first.</p>
      <div className="buttons">
        <Button
          reason={value.length >= disksMax ? `A VM has ${disksMax} disks at most.` : null}
          onClick={() => onChange([...value, newDisk])}
        >
          Add a disk
        </Button>
        <Button onClick={() => onChange([])}>One disk, as the size has it</Button>
      </div>
    </fieldset>
  );
}
