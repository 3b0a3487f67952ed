// Kinds of events, and choosing some of them.

import type { Bound } from './form.tsx';

/** What events are about, by the first word of their kind. */
export const eventKinds = [
  { value: 'instance', label: 'Instances: made, started, failed, deleted' },
  { value: 'vm', label: 'VMs: their keyboard and machine' },
  { value: 'disk', label: 'Disks and backups' },
  { value: 'quote', label: 'Quotes' },
  { value: 'group', label: 'Groups' },
  { value: 'own-image', label: 'Own images' },
  { value: 'account', label: 'The account' },
  { value: 'user', label: 'Users' },
  { value: 'privilege', label: 'Privileges' },
  { value: 'api-key', label: 'API keys' },
  { value: 'ssh-key', label: 'SSH keys' },
  { value: 'console', label: 'Consoles that were opened' },
  { value: 'webhook', label: 'Webhooks' },
] as const;

const all = '*';

/** Chooses which kinds somebody is told of: all, or some of them. */
export function KindsField({ value, error, onChange }: Bound<string[]>) {
  // What was chosen elsewhere, such as instance.failed, is kept.
  const others = value.filter((kind) => kind !== all && !eventKinds.some((one) => one.value === kind));
  const toggle = (kind: string, wanted: boolean) => {
    const rest = value.filter((one) => one !== kind && one !== all);
    onChange(wanted ? [...rest, kind] : rest);
  };
  const isAll = value.includes(all);
  return (
    <fieldset className="choices">
      <legend>Told of</legend>
      <label>
        <input type="checkbox" checked={isAll} onChange={(event) => onChange(event.target.checked ? [all] : [])} />{' '}
        Everything
      </label>
      {[...eventKinds, ...others.map((kind) => ({ value: kind, label: kind }))].map((kind) => (
        <label key={kind.value}>
          <input
            type="checkbox"
            checked={isAll || value.includes(kind.value)}
            disabled={isAll}
            onChange={(event) => toggle(kind.value, event.target.checked)}
          />{' '}
          {kind.label}
        </label>
      ))}
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}
