// Short words on what was done, which go away by themselves. What needs an answer is no toast.

import { createContext, type ReactNode, use, useCallback, useState } from 'react';

const shownMs = 6_000;

interface Toast {
  id: number;
  text: string;
}

const ToastContext = createContext<(text: string) => void>(() => {});
let last = 0;

/** Says something at the edge of the page. */
export const useToast = (): ((text: string) => void) => use(ToastContext);

/** The place where they are shown. */
export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const say = useCallback((text: string) => {
    last += 1;
    const id = last;
    setToasts((shown) => [...shown, { id, text }]);
    setTimeout(() => setToasts((shown) => shown.filter((one) => one.id !== id)), shownMs);
  }, []);
  return (
    <ToastContext value={say}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>
    </ToastContext>
  );
}
