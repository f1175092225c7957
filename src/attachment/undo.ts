import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { AttachmentId } from '../cni/attachment-id.ts';
import type { Attachment } from '../plan/attachment.ts';
import type { Effects } from './effects.ts';
import { messageOf } from '../system/error-text.ts';

/**
 * How an ADD undoes its work: when its scope ends without {@link Undo.commit}, its actions run in reverse order, and the record is removed
 * last. If an action fails, this is logged, and the record stays, so that DEL or GC finishes the work.
 */
export interface Undo extends AsyncDisposable {
  /**
   * Registers an action, before the effect that it undoes: an effect can fail halfway. An action that finds nothing to undo succeeds.
   *
   * @param what names the effect in the log
   */
  add(what: string, action: () => Promise<void>): void;
  /**
   * Hands the result to the runtime. From then on only DEL removes the attachment; a result that cannot be printed is a failed ADD.
   *
   * @throws {CniError} tryAgainLater (11) if a DEL or GC has removed the record in the meantime; and what `print` throws
   */
  commit(print: () => Promise<void>): Promise<void>;
}

/**
 * Begins an attachment: writes its record, so that DEL and GC find what a killed ADD leaves.
 *
 * @throws {CniError} tryAgainLater (11) if another ADD of the same attachment has begun
 */
export function beginAttachment(attachment: Attachment, { journal, log }: Pick<Effects, 'journal' | 'log'>): Undo {
  const { id } = attachment;
  const entry = journal.begin(attachment);
  if (entry === 'exists') throw concurrentAddError(id);
  const actions = new AsyncDisposableStack();
  const failed: string[] = [];
  const attempt = async (what: string, action: () => Promise<void> | void): Promise<void> => {
    try {
      await action();
    } catch (error) {
      // It must not replace the error that made ADD fail.
      failed.push(what);
      log.error(`cannot undo: ${what}: ${messageOf(error)}; DEL will try again`);
    }
  };
  actions.defer(async () => {
    if (failed.length === 0) await attempt('record', () => entry.remove());
  });
  return {
    add(what, action) {
      actions.defer(async () => {
        log.info(`undoing: ${what}`);
        await attempt(what, action);
      });
    },
    async commit(print) {
      if (entry.beginReturn() === 'superseded') throw supersededError(id);
      await print();
      entry.markAttached();
      actions.move();
    },
    [Symbol.asyncDispose]: () => actions.disposeAsync(),
  };
}

function concurrentAddError({ containerId, interfaceName }: AttachmentId): CniError {
  return new CniError(
    ERROR_CODE.tryAgainLater,
    `another ADD of container ${containerId}, ${interfaceName}, began at the same time; wait for it, or send DEL`,
  );
}

function supersededError({ containerId, interfaceName }: AttachmentId): CniError {
  return new CniError(
    ERROR_CODE.tryAgainLater,
    `container ${containerId}, ${interfaceName}, was removed by a DEL or GC during its ADD; everything that ADD created is undone`,
  );
}
