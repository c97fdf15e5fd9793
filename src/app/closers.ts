/**
 * Runs work that opens things, and closes them last in, first out, whatever came of it. All are closed even if one
 * fails. The work's own failure is what the caller hears of; a failure to close counts only if there was none, because
 * then what it left unwritten is news.
 */
export async function withClosers<T>(work: (closers: (() => Promise<void>)[]) => Promise<T>): Promise<T> {
  const closers: (() => Promise<void>)[] = []
  let failure: { error: unknown } | undefined
  let value: T | undefined
  try {
    value = await work(closers)
  } catch (error) {
    failure = { error }
  }
  for (const close of closers.reverse()) {
    try {
      await close()
    } catch (error) {
      failure ??= { error }
    }
  }
  if (failure !== undefined) throw failure.error
  return value as T
}
