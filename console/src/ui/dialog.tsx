// Windows over the page: the browser's own dialog, which keeps the focus and closes with Escape.

import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { Button } from './button.tsx';
import { Failure } from './state.tsx';

interface DialogProps {
  title: string;
  onClose(): void;
  children: ReactNode;
}

/** A dialog that is open as long as it is there. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={onClose} onCancel={onClose}>
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
  onConfirm(): Promise<unknown>;
  onClose(): void;
}

/** Asks before something is taken away. */
export function Confirm({ title, children, act, onConfirm, onClose }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
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
      <div className="buttons">
        <Button variant="danger" busy={busy} onClick={() => void confirm()}>
          {act}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </Dialog>
  );
}
