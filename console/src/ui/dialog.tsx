// Windows over the page: the browser's own dialog, which keeps the focus and closes with Escape.

import { type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { Button } from './button.tsx';
import { Failure } from './state.tsx';
import { Copyable } from './words.tsx';

interface DialogProps {
  title: string;
  onClose(): void;
  children: ReactNode;
}

/** A dialog that is open as long as it is there. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // Closed while it is still in the page, or the focus has nowhere to go back from.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      // Told a moment later: under StrictMode an effect that was undone to try it has opened it again by then.
      onClose={() => dialog.current?.open || onClose()}
      onCancel={onClose}
    >
      <h2 id={heading}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What will be lost, and whether it can be undone. */
  children: ReactNode;
  /** What the button says, as `Delete web-1`. */
  act: string;
  /** `primary` where nothing is taken away. */
  variant?: 'danger' | 'primary';
  onConfirm(): Promise<unknown>;
  onClose(): void;
}

/** Asks before something is taken away, or is done that one should know of. */
export function Confirm({ title, children, act, variant = 'danger', onConfirm, onClose }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const buttons = useRef<HTMLDivElement>(null);
  // A key that is held down, or pressed twice, must not answer what was not read.
  useEffect(() => buttons.current?.querySelector<HTMLElement>('button:last-of-type')?.focus(), []);
  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {error && <Failure error={error} />}
      <div className="buttons" ref={buttons}>
        <Button variant={variant} busy={busy} onClick={() => void confirm()}>
          {act}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </Dialog>
  );
}

/** Opens a dialog over a page; one at a time. */
type OpenDialog = (content: (close: () => void) => ReactNode) => void;

/** The place for a page's dialogs: what is to be shown there, and how one is opened. */
export function useDialog(): [dialog: ReactNode, open: OpenDialog] {
  const [content, setContent] = useState<ReactNode>(null);
  return [content, (make) => setContent(make(() => setContent(null)))];
}

interface ShownOnceProps {
  title: string;
  /** Each with its name. */
  secrets: readonly (readonly [label: string, text: string])[];
  children: ReactNode;
  onClose(): void;
}

/** What the server tells once, to be copied before it is closed. */
export const ShownOnce = ({ title, secrets, children, onClose }: ShownOnceProps) => (
  <Dialog title={title} onClose={onClose}>
    {children}
    <dl className="secrets">
      {secrets.map(([label, text]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            <Copyable text={text} label={label} />
          </dd>
        </div>
      ))}
    </dl>
    <p className="fine">It is not shown again.</p>
    <div className="buttons">
      <Button variant="primary" onClick={onClose}>
        I have kept it
      </Button>
    </div>
  </Dialog>
);
