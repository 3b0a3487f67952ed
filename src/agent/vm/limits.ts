// Every bound of the QEMU driver in one place, each with its reason. Tests shorten some of them through the constructor.

/** Times in milliseconds, sizes in bytes unless the name says otherwise. */
export interface QemuLimits {
  qmpTimeoutMs: number;
  startTimeoutMs: number;
  observeTimeoutMs: number;
  quitTimeoutMs: number;
  killTimeoutMs: number;
  powerButtonEveryMs: number;
  resumeEveryMs: number;
  resumeFreeBytes: number;
  isolationCheckEveryMs: number;
  serialLogBytes: number;
  qemuLogBytes: number;
}

export const defaultQemuLimits: QemuLimits = {
  // A QMP command is answered by QEMU's main loop in about a millisecond; 5 s without an answer is a stuck process.
  qmpTimeoutMs: 5_000,
  // QEMU opens its monitor within 100 ms; a machine that starts ten at once under load takes a few seconds. Where a disk is
  // written to as fast as it goes, opening images there has taken more than 20 s. One that has ended is not waited for.
  startTimeoutMs: 60_000,
  // One VM that does not answer must not keep the rest from being seen.
  observeTimeoutMs: 2_000,
  // After "quit" QEMU flushes the overlay, which a slow disk can stretch.
  quitTimeoutMs: 10_000,
  // A process in uninterruptible I/O outlives SIGKILL until the disk answers; past this the caller has to know.
  killTimeoutMs: 10_000,
  // A guest that still boots ignores its power button, so it is pressed again.
  powerButtonEveryMs: 3_000,
  // How often a VM that stands still because the host's disk is full is looked at, and how much must be free for it to go
  // on: less would stop it again at once.
  resumeEveryMs: 5_000,
  resumeFreeBytes: 64 * 1024 * 1024,
  // "systemctl reload nftables" flushes the rules of everybody. This is how long guests can go unguarded after it.
  isolationCheckEveryMs: 10_000,
  // A kernel's boot messages take some 60 KiB; two files of this size are kept per VM.
  serialLogBytes: 1024 * 1024,
  // QEMU's own complaints; the last line is what is shown, so the rest is a convenience.
  qemuLogBytes: 64 * 1024,
};
