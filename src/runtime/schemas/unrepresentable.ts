/** What to write instead of what JSON, and so the contract, cannot hold. */
const advice: Readonly<Record<string, string>> = {
  bigint: 'JSON has no bigint. Write z.int(), or z.string().regex(/^-?\\d+$/) and transform it',
  date: 'JSON has no dates. Write z.iso.datetime(), and transform it where you need a Date',
  undefined: 'JSON has no undefined. Write .optional() on the schema that may be absent',
  void: 'JSON has no void. Leave `content` out of a response without a body',
  nan: 'JSON has no NaN. Write z.null()',
  symbol: 'JSON has no symbols. Write z.enum() or z.literal()',
  map: 'JSON has no maps. Write z.record()',
  set: 'JSON has no sets. Write z.array()',
  custom:
    "z.custom() and z.instanceof() say nothing to the contract. Write file() for a file of a form, or add .openapi({ type: 'string' })",
  transform:
    "what .transform() makes has no schema. Write .pipe(z.…) behind it, or add .openapi({ type: 'string' })",
  function: 'JSON has no functions. Take it out',
  recursion: "contains itself without a name. Write .openapi('Name') on the schema that does",
}

/** Whether the contract cannot show schemas of this kind, or not always. */
export function isUnrepresentable(kind: string): boolean {
  return Object.hasOwn(advice, kind) || kind === 'promise' || kind === 'lazy'
}

/** What is wrong with a schema of this kind, and what to write instead. */
export function adviceFor(kind: string): string {
  const fallback = `the contract cannot show z.${kind}(). Write another schema, or add .openapi({ type: 'string' })`
  return advice[kind] ?? fallback
}
