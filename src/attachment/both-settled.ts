/**
 * The results of two pieces of work that run at the same time. Both have ended when this returns or throws, so that an undo never runs
 * beside the work that it undoes.
 *
 * @throws the first error, in the order of time
 */
export async function bothSettled<One, Other>(one: Promise<One>, other: Promise<Other>): Promise<[One, Other]> {
  try {
    return await Promise.all([one, other]);
  } finally {
    await Promise.allSettled([one, other]);
  }
}
