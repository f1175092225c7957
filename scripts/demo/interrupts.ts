const PARENT_CHECK_MS = 500;

/**
 * Returns a signal that aborts on SIGINT, SIGTERM and SIGHUP, and when the reader of our output is gone.
 *
 * npm and its shell do not always pass a signal on. With `parent: 'watched'`, the signal also aborts when the process
 * that started this one ends; with `parent: 'stdin'`, when standard input ends.
 */
export function watchInterrupts({ parent }: { readonly parent: 'watched' | 'stdin' }): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => controller.abort(new Error('interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  // A write fails once a pipe such as `| head` has closed.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', interrupt);
  if (parent === 'stdin') {
    process.stdin.once('end', interrupt);
  } else {
    const { ppid } = process;
    setInterval(() => {
      if (process.ppid !== ppid) interrupt();
    }, PARENT_CHECK_MS).unref();
  }
  return controller.signal;
}
