/** What to write instead of schemas that JSON, and so the contract, cannot represent. */
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
    "the contract cannot show z.custom() and z.instanceof(). Write file() for a file in a form, or add .openapi({ type: 'string' })",
  transform:
    "the result of .transform() has no schema. Write .pipe(z.…) after it, or add .openapi({ type: 'string' })",
  function: 'JSON has no functions. Remove it',
  recursion: "contains itself without a name. Write .openapi('Name') on that schema",
}

/** Whether the contract cannot always show schemas of this kind. */
export function isUnrepresentable(kind: string): boolean {
  return Object.hasOwn(advice, kind) || kind === 'promise' || kind === 'lazy'
}

/** What is wrong with a schema of this kind, and what to write instead. */
export function adviceFor(kind: string): string {
  const fallback = `the contract cannot show z.${kind}(). Write another schema, or add .openapi({ type: 'string' })`
  return advice[kind] ?? fallback
}
