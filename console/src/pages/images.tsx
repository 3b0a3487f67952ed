// OS images: those of the catalog, which everybody has, and an account's own, by URL and checksum.

import type { Image } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { AccountField } from '../layout/choose-account.tsx';
import { useBerth, useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, Dialog, useDialog } from '../ui/dialog.tsx';
import { Form, TextField, useForm } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { Badge, Copyable, When } from '../ui/words.tsx';

const toneOf = { checking: 'busy', ready: 'good', failed: 'bad' } as const;

/** The page. */
export default function ImagesPage() {
  const { berth, account } = useSession();
  const done = useDone();
  const [dialog, open] = useDialog();
  const list = useList(['images', 'list', 'all'], () => berth.images.list({ limit: 200 }));
  const isShown = (image: Image) => image.account !== null && (!account || image.account === account.id);
  const own = { ...list, rows: list.rows.filter(isShown) };
  const catalog = { ...list, rows: list.rows.filter((image) => image.account === null) };
  const add = (
    <Button variant="primary" onClick={() => open((close) => <AddImage onClose={close} />)}>
      Register image
    </Button>
  );
  const remove = ({ id, name }: Image) =>
    open((close) => (
      <Confirm
        title={`Forget ${name}?`}
        act="Forget it"
        onClose={close}
        onConfirm={async () => {
          await berth.images.delete(id);
          await done(`${name} is forgotten`, 'images');
        }}
      >
        <p>No more VMs can be made of it. What was made of it keeps it.</p>
      </Confirm>
    ));
  return (
    <Page title="Images" actions={add}>
      <Section title="Own images">
        <List
          label="Own images"
          list={own}
          keyOf={({ id }) => id}
          columns={[
            { title: 'Name', cell: ({ name }) => name },
            { title: 'Slug', cell: ({ slug }) => <Copyable text={slug} label={slug} /> },
            {
              title: 'State',
              cell: ({ state, reason }) => (
                <span>
                  <Badge tone={toneOf[state]}>{state}</Badge> {reason && <span className="fine">{reason}</span>}
                </span>
              ),
            },
            { title: 'From', cell: ({ url }) => <span className="clip">{url}</span> },
            { title: 'Added', cell: ({ createdAt }) => <When time={createdAt} /> },
            {
              title: 'Actions',
              cell: (image) => (
                <div className="buttons">
                  <Button
                    aria-label={`Rename ${image.name}`}
                    onClick={() => open((close) => <Rename image={image} onClose={close} />)}
                  >
                    Rename
                  </Button>
                  <Button aria-label={`Forget ${image.name}`} onClick={() => remove(image)}>
                    Forget
                  </Button>
                </div>
              ),
            },
          ]}
          empty={
            <Empty title="No image of your own" action={add}>
              <p>
                Register one by the URL of its file and its SHA-256: every host fetches it once and holds it to that
                sum. On the command line:
              </p>
              <Copyable
                text="berth image add shop-1 https://images.example.com/shop-1.qcow2 --sha256 SUM"
                label="command line"
              />
            </Empty>
          }
        />
      </Section>
      <Section title="Catalog">
        <List
          label="Images of the catalog"
          list={catalog}
          keyOf={({ id }) => id}
          columns={[
            { title: 'Name', cell: ({ name }) => name },
            { title: 'Distribution', cell: ({ distribution }) => distribution },
            { title: 'Slug', cell: ({ slug }) => <Copyable text={slug} label={slug} /> },
            { title: 'Signs in as', cell: ({ username }) => <code>{username}</code> },
            { title: 'From', cell: ({ url }) => <span className="clip">{url}</span> },
          ]}
          empty={
            <Empty title="The catalog is empty">
              <p>The operator fills it in the settings of the installation.</p>
            </Empty>
          }
        />
      </Section>
      {dialog}
    </Page>
  );
}

function AddImage({ onClose }: { onClose(): void }) {
  const { berth, account } = useSession();
  const done = useDone();
  const initial = { account: account?.id ?? '', name: '', url: '', sha256: '', username: '' };
  const form = useForm(initial, async ({ account: of, name, url, sha256, username }) => {
    await berth.images.create({
      ...{ name, url: url.trim(), sha256: sha256.trim() },
      ...(of ? { account: of } : {}),
      ...(username ? { username } : {}),
    });
    await done(`${name} is registered, and looked at`, 'images');
    onClose();
  });
  return (
    <Dialog title="Register an image" onClose={onClose}>
      <Form form={form} act="Register" onCancel={onClose}>
        <AccountField {...form.field('account')} />
        <TextField label="Name" spellCheck={false} {...form.field('name')} />
        <TextField
          label="URL"
          type="url"
          hint="On a public server; ends in .qcow2, .img or .raw, also compressed"
          spellCheck={false}
          {...form.field('url')}
        />
        <TextField
          label="SHA-256"
          hint="Of that file, compressed or not"
          spellCheck={false}
          {...form.field('sha256')}
        />
        <TextField
          label="Signs in as"
          hint="Whom its system lets in by SSH key; root unless given"
          autoCapitalize="none"
          spellCheck={false}
          {...form.field('username')}
        />
      </Form>
    </Dialog>
  );
}

function Rename({ image, onClose }: { image: Image; onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const form = useForm({ name: image.name }, async ({ name }) => {
    await berth.images.update(image.id, { name });
    await done(`${image.name} is called ${name} now`, 'images');
    onClose();
  });
  return (
    <Dialog title={`Rename ${image.name}`} onClose={onClose}>
      <Form form={form} act="Rename" onCancel={onClose}>
        <TextField label="Name" spellCheck={false} {...form.field('name')} />
      </Form>
    </Dialog>
  );
}
