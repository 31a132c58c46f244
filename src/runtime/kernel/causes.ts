/**
 * The error itself, its causes, and the errors of an AggregateError, outermost first. At most eight, since causes may
 * form a cycle.
 */
export function causes(error: unknown): unknown[] {
  const chain: unknown[] = []
  const open = [error]
  while (open.length > 0 && chain.length < 8) {
    const current = open.shift()
    if (current === undefined || current === null) continue
    // a thrown proxy or getter may throw when it is read
    chain.push(orPlaceholder(current, () => open.push(...innerErrors(current))))
  }
  return chain
}

function innerErrors(error: unknown): unknown[] {
  return [
    ...(error instanceof Error ? [error.cause] : []),
    ...(error instanceof AggregateError ? error.errors : []),
  ]
}

/** The error itself, or a placeholder if `read` throws. */
export function orPlaceholder(error: unknown, read: () => unknown): unknown {
  try {
    read()
    return error
  } catch {
    return new Error('The thrown value cannot be read')
  }
}
