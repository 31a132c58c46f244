/**
 * `error`, its causes, and what an AggregateError joins, outermost first; eight at most, since a cause may lead
 * back to itself.
 */
export function causes(error: unknown): unknown[] {
  const chain: unknown[] = []
  const open = [error]
  while (open.length > 0 && chain.length < 8) {
    const current = open.shift()
    if (current === undefined || current === null) continue
    // a proxy, or a getter that throws, may be thrown as well
    chain.push(readable(current, () => open.push(...below(current))))
  }
  return chain
}

function below(error: unknown): unknown[] {
  return [
    ...(error instanceof Error ? [error.cause] : []),
    ...(error instanceof AggregateError ? error.errors : []),
  ]
}

/** The error itself, where `read` can read it; else one in its place. */
export function readable(error: unknown, read: () => unknown): unknown {
  try {
    read()
    return error
  } catch {
    return new Error('What was thrown cannot be read')
  }
}
