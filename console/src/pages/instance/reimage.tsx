// Making a VM's first disk anew from an image.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Instance, NewReimage } from '../../../../sdk/generated/types.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Form, SelectField, TextAreaField, TextField, useForm } from '../../ui/form.tsx';
import { Section } from '../../ui/page.tsx';
import { SshKeyPicker } from '../../ui/pickers.tsx';
import { Copyable } from '../../ui/words.tsx';

const byPassword = '';

/** The part of the page from which a VM is imaged. */
export function ReimageForm({ instance }: { instance: Instance }) {
  const [isOpen, setOpen] = useState(false);
  const [password, setPassword] = useState<string>();
  return (
    <Section title="Image">
      <p>
        {instance.vm?.lastImagedWith ? `It was last made from ${instance.vm.lastImagedWith}. ` : ''}
        Its first disk can be made anew from an image: all that is on that disk is lost then, the other disks stay.
      </p>
      <Button variant="danger" reason={instance.allowed.reimage} onClick={() => setOpen(true)}>
        Reimage
      </Button>
      {isOpen && (
        <Reimage
          instance={instance}
          onClose={() => setOpen(false)}
          onDone={(made) => {
            setOpen(false);
            setPassword(made ?? undefined);
          }}
        />
      )}
      {password !== undefined && (
        <Dialog title={`The root password of ${instance.name}`} onClose={() => setPassword(undefined)}>
          <p>
            <Copyable text={password} label="root password" />
          </p>
          <p>It is shown here once, and nowhere else.</p>
          <div className="buttons">
            <Button variant="primary" onClick={() => setPassword(undefined)}>
              I have kept it
            </Button>
          </div>
        </Dialog>
      )}
    </Section>
  );
}

interface ReimageProps {
  instance: Instance;
  onClose(): void;
  /** Is told the root password where one was made. */
  onDone(password: string | null): void;
}

function Reimage({ instance: { id, name, account, vm }, onClose, onDone }: ReimageProps) {
  const berth = useBerth();
  const cache = useQueryClient();
  const images = useQuery({
    queryKey: ['images', 'catalog'],
    queryFn: () => berth.images.list({ limit: 200 }).page(),
  });
  const before = { image: vm?.lastImagedWith ?? '', sshKeys: byPassword, rootPassword: '', firstBootScript: '' };
  const form = useForm(before, async ({ image, sshKeys, rootPassword, firstBootScript }) => {
    const body: NewReimage = {
      image,
      ...(sshKeys === byPassword ? {} : { sshKeys: [sshKeys] }),
      ...(rootPassword ? { rootPassword } : {}),
      ...(firstBootScript ? { firstBootScript } : {}),
    };
    const { rootPassword: made } = await berth.instances.reimage(id, body);
    void cache.invalidateQueries({ queryKey: ['operations'] });
    onDone(made);
  });
  const { values, set, errors } = form;
  return (
    <Dialog title={`Reimage ${name}`} onClose={onClose}>
      <Form form={form} act={`Erase the first disk of ${name} and reimage it`} onCancel={onClose}>
        <p className="note note-bad">
          What is on its first disk is gone, and can't be brought back. It is switched on then.
        </p>
        <SelectField
          label="Image"
          value={values.image}
          error={errors.image}
          choices={[
            { value: '', label: 'Choose one' },
            ...(images.data?.items ?? [])
              .filter(({ state }) => state === 'ready')
              .map(({ slug, name: title }) => ({ value: slug, label: title })),
          ]}
          onChange={(value) => set('image', value)}
        />
        <SshKeyPicker
          label="SSH key"
          account={account}
          none="None: by password"
          value={values.sshKeys}
          error={errors.sshKeys}
          onChange={(value) => set('sshKeys', value)}
        />
        <TextField
          label="Root password"
          hint="Left out without an SSH key, one is made and shown once"
          type="password"
          autoComplete="new-password"
          value={values.rootPassword}
          error={errors.rootPassword}
          onChange={(value) => set('rootPassword', value)}
        />
        <TextAreaField
          label="First boot script"
          hint="Run once by its system"
          spellCheck={false}
          value={values.firstBootScript}
          error={errors.firstBootScript}
          onChange={(value) => set('firstBootScript', value)}
        />
      </Form>
    </Dialog>
  );
}
