// Which of a VM's ports are open from outside, one row each.

import { useQueryClient } from '@tanstack/react-query';
import type { Instance, Port } from '../../../../sdk/generated/types.ts';
import { useBerth } from '../../session.tsx';
import { useAct } from '../../ui/act.ts';
import { Button } from '../../ui/button.tsx';
import { Form, SelectField, TextField, useForm } from '../../ui/form.tsx';
import { Section } from '../../ui/page.tsx';

const protocols = [
  { value: 'tcp', label: 'TCP' },
  { value: 'udp', label: 'UDP' },
];

/** Changes the list of open ports as it is on the server by now, so that nobody else's change is lost. */
function useChangePorts({ id }: Instance): (change: (ports: Port[]) => Port[]) => Promise<void> {
  const berth = useBerth();
  const cache = useQueryClient();
  return async (change) => {
    const now = await berth.instances.get(id);
    const changed = await berth.instances.setPorts(id, { ports: change(now.ports) }, { ifMatch: berth.etagOf(now) });
    cache.setQueryData(['instances', id], changed);
  };
}

/** The part of the page with open ports; a container's are those that it was started with. */
export function Ports({ instance }: { instance: Instance }) {
  const { ports, allPortsOpen, allowed, kind } = instance;
  const changePorts = useChangePorts(instance);
  const [busy, act] = useAct();
  const close = ({ port, protocol }: Port) =>
    act(
      () => changePorts((now) => now.filter((one) => one.port !== port || one.protocol !== protocol)),
      `Port ${port} is closed`,
    );
  if (kind === 'container') return null;
  return (
    <Section title="Open ports">
      {allPortsOpen && <p>Every port is open from outside, whatever is said here.</p>}
      {ports.length === 0 && !allPortsOpen && <p className="fine">All are closed: nobody outside reaches it.</p>}
      <ul className="chips" aria-label="Open ports">
        {ports.map((one) => (
          <li key={`${one.port}/${one.protocol}`}>
            <code>
              {one.port}/{one.protocol}
            </code>
            <Button
              className="button-small"
              aria-label={`Close port ${one.port}/${one.protocol}`}
              busy={busy}
              reason={allowed.setPorts}
              onClick={() => void close(one)}
            >
              Close
            </Button>
          </li>
        ))}
      </ul>
      <OpenPort instance={instance} />
    </Section>
  );
}

function OpenPort({ instance }: { instance: Instance }) {
  const changePorts = useChangePorts(instance);
  const form = useForm({ ports: '', protocol: 'tcp' }, async ({ ports, protocol }) => {
    const opened: Port = { port: Number(ports), protocol: protocol as Port['protocol'] };
    await changePorts((now) => [...now, opened]);
    form.reset();
  });
  return (
    <Form form={form} act="Open" reason={instance.allowed.setPorts}>
      <div className="row-fields">
        <TextField
          label="Port"
          inputMode="numeric"
          value={form.values.ports}
          error={form.errors.ports}
          onChange={(value) => form.set('ports', value)}
        />
        <SelectField
          label="Protocol"
          value={form.values.protocol}
          choices={protocols}
          onChange={(value) => form.set('protocol', value)}
        />
      </div>
    </Form>
  );
}
