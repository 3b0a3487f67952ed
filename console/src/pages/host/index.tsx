// One host: what it is, what of it is sold, and on which terms.

import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { Host } from '../../../../sdk/generated/types.ts';
import { useDone } from '../../done.ts';
import { at, gib, many, mib } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import '../../style/hosts.css';
import { Button } from '../../ui/button.tsx';
import { Confirm, useDialog } from '../../ui/dialog.tsx';
import { HostState } from '../../ui/host-state.tsx';
import { Facts, Page, PageOf, Section } from '../../ui/page.tsx';
import { ratesLine } from '../../ui/rates.tsx';
import { When } from '../../ui/words.tsx';
import { EnrolHost } from './enrol.tsx';
import { HostBars } from './map.tsx';
import { HostUse } from './metrics.tsx';
import { Orphans } from './orphans.tsx';
import { AddressPools, HostInstances, StoragePools } from './parts.tsx';
import { HardwareForm, TermsForm } from './terms.tsx';

/** The page. */
export default function HostPage() {
  const { host: id = '' } = useParams({ strict: false });
  const berth = useBerth();
  const read = useQuery({ queryKey: ['hosts', id], queryFn: () => berth.hosts.get(id) });
  return (
    <PageOf what="Host" read={read}>
      {(host) => <Shown host={host} />}
    </PageOf>
  );
}

function Shown({ host }: { host: Host }) {
  return (
    <Page title={host.name} actions={<Acts host={host} />}>
      <div className="cards">
        <Section title="Sold" actions={<HostState of={host} />}>
          <HostBars host={host} />
          <p className="fine">
            {many(host.instances, 'instance')}, {many(host.orphans, 'orphan')}
            {host.strays.length > 0 && `; it found what it knows nothing of: ${host.strays.join(', ')}`}
          </p>
        </Section>
        <Machine host={host} />
      </div>
      <HostUse host={host} />
      <HostInstances host={host.id} />
      <div className="cards">
        <TermsForm host={host} />
        <HardwareForm host={host} />
      </div>
      <AddressPools host={host.id} />
      <StoragePools host={host.id} />
      {host.orphans > 0 && <Orphans host={host.id} />}
    </Page>
  );
}

const Machine = ({ host }: { host: Host }) => {
  const { machine } = host;
  return (
    <Section title="Machine">
      <Facts
        facts={[
          ['Last heard of', host.lastSeenAt && <When time={host.lastSeenAt} />],
          ['Added', at(host.createdAt)],
          ['Rates, for an epoch', ratesLine(host.rates)],
          ['Network of VMs', host.network],
          ...(machine
            ? ([
                ['Processor', machine.cpuModel],
                ['Cores', String(machine.cores)],
                ['Memory', mib(machine.memoryMib)],
                ['Storage', gib(machine.diskGib)],
                ['GPUs', machine.gpus.map(({ name }) => name).join(', ') || 'none'],
                ['Hypervisor', `${machine.hypervisor}, ${machine.acceleration}`],
                ['Containers', machine.containerEngine ?? 'none'],
                ['Ingress', machine.ingressDomain ?? 'none'],
                ['Agent', machine.agentVersion],
              ] as const)
            : []),
        ]}
      />
      {!machine && <p className="note">It has not told what it is made of yet: it was not enrolled.</p>}
    </Section>
  );
};

function Acts({ host }: { host: Host }) {
  const berth = useBerth();
  const done = useDone();
  const [dialog, open] = useDialog();
  const acts = {
    drain: {
      act: 'Drain',
      said: `${host.name} takes nothing new`,
      text: 'It takes no new instances from now on. What runs there stays, and is billed on. It can be undone.',
    },
    undrain: {
      act: host.state === 'retired' ? 'Bring back' : 'Undrain',
      said: `${host.name} takes instances again`,
      text: 'It takes new instances again, and what is free of it is offered at once.',
    },
    retire: {
      act: 'Retire',
      said: `${host.name} is retired`,
      text: 'It is taken out of the market, and kept for the record. That needs a host without instances.',
    },
  } as const;
  const ask = (name: keyof typeof acts) =>
    open((close) => (
      <Confirm
        title={`${acts[name].act} ${host.name}?`}
        act={acts[name].act}
        onClose={close}
        onConfirm={async () => {
          await berth.hosts[name](host.id);
          await done(acts[name].said, 'hosts', 'offers', 'capacity');
        }}
      >
        <p>{acts[name].text}</p>
      </Confirm>
    ));
  return (
    <>
      {host.state === 'open' && <Button onClick={() => ask('drain')}>Drain</Button>}
      {host.state !== 'open' && <Button onClick={() => ask('undrain')}>{acts.undrain.act}</Button>}
      {host.state !== 'retired' && (
        <Button variant="danger" onClick={() => ask('retire')}>
          Retire
        </Button>
      )}
      <Button onClick={() => open((close) => <EnrolHost name={host.name} onClose={close} />)}>Enrol again</Button>
      {dialog}
    </>
  );
}
