const PARENT_CHECK_MS = 500;

/**
 * Aborted by Ctrl-C and the like. npm and its shell do not always pass a signal on: with `parent: 'watched'` the end of the process that
 * started this one counts, too; with `'stdin'` the end of standard input.
 */
export function watchInterrupts({ parent }: { readonly parent: 'watched' | 'stdin' }): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => controller.abort(new Error('interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  // Nobody reads the report any more, as behind `| head`.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', interrupt);
  if (parent === 'watched') {
    const { ppid } = process;
    setInterval(() => {
      if (process.ppid !== ppid) interrupt();
    }, PARENT_CHECK_MS).unref();
  } else process.stdin.once('end', interrupt);
  return controller.signal;
}
