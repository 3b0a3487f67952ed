// The two consoles of a VM: its serial port as a terminal, and its screen; and keys that no browser lets through.

import { lazy, Suspense, useState } from 'react';
import type { Instance, Keys } from '../../../../sdk/generated/types.ts';
import { useFilters } from '../../filters.ts';
import { useBerth } from '../../session.tsx';
import { useAct } from '../../ui/act.ts';
import { Button } from '../../ui/button.tsx';
import { SelectField } from '../../ui/form.tsx';
import { Section } from '../../ui/page.tsx';
import { Loading } from '../../ui/state.tsx';

const TerminalView = lazy(() => import('./terminal.tsx'));
const ScreenView = lazy(() => import('./screen.tsx'));

const names = ['view'] as const;
const notOn = 'It has a console while it is on.';
const coming = 'It is coming up. Its console opens here as soon as it is on.';

/** What people press that their own machine would take. */
const chords: Record<string, Keys['keys']> = {
  'Ctrl+Alt+Del': ['ctrl', 'alt', 'delete'],
  'Ctrl+Alt+F1': ['ctrl', 'alt', 'f1'],
  'Ctrl+Alt+F2': ['ctrl', 'alt', 'f2'],
  'Ctrl+Alt+F7': ['ctrl', 'alt', 'f7'],
  'Alt+Tab': ['alt', 'tab'],
  'Alt+F4': ['alt', 'f4'],
  'Ctrl+W': ['ctrl', 'w'],
  Print: ['print'],
  Esc: ['esc'],
  Enter: ['ret'],
};

/** The consoles of a VM. */
export default function Consoles({ instance }: { instance: Instance }) {
  const berth = useBerth();
  const [{ view }, narrow] = useFilters(names);
  const isOn = instance.status === 'active';
  const isScreen = view === 'screen';
  return (
    <Section
      title={isScreen ? 'Screen' : 'Serial console'}
      actions={
        <>
          <Button aria-pressed={!isScreen} onClick={() => narrow({ view: '' })}>
            Serial console
          </Button>
          <Button aria-pressed={isScreen} onClick={() => narrow({ view: 'screen' })}>
            Screen
          </Button>
        </>
      }
    >
      <SendKeys instance={instance} />
      {!isOn && (
        <p className="note" role="status">
          {instance.status === 'launching' ? coming : notOn}
        </p>
      )}
      {isOn && (
        <Suspense fallback={<Loading what="Loading" />}>
          {isScreen ? (
            <ScreenView instance={instance} />
          ) : (
            <TerminalView
              label={`Serial console of ${instance.name}`}
              open={(_size, signal) => berth.instances.open(instance.id, 'console', { signal })}
            />
          )}
        </Suspense>
      )}
    </Section>
  );
}

function SendKeys({ instance: { id, name, status } }: { instance: Instance }) {
  const berth = useBerth();
  const [chord, setChord] = useState('Ctrl+Alt+Del');
  const [busy, act] = useAct();
  const send = () =>
    act(() => berth.instances.sendKeys(id, { keys: chords[chord] ?? [] }), `${chord} is pressed on ${name}`);
  return (
    <div className="filters">
      <SelectField
        label="Keys"
        value={chord}
        choices={Object.keys(chords).map((value) => ({ value, label: value }))}
        onChange={setChord}
      />
      <Button busy={busy} reason={status === 'active' ? null : notOn} onClick={() => void send()}>
        Press them
      </Button>
    </div>
  );
}
