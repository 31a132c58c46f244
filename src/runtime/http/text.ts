import { Problem, type ProblemError, problems } from './problem.ts'

/** Deeper than any contract, shallow enough for every recursion over a parsed body. */
const deepest = 64

/**
 * Refuses what is valid JSON (or a valid form) but poison further in: NUL, which PostgreSQL's text cannot hold;
 * lone surrogates, which UTF-8 cannot; nesting that would exhaust the stack.
 *
 * @param value a parsed body or query
 * @throws {Problem} VALIDATION_FAILED with a pointer to the place
 */
export function refusePoison(value: unknown, place: ProblemError['in']): void {
  const open: [value: unknown, pointer: string, depth: number][] = [[value, '#', 0]]
  for (let next = open.pop(); next; next = open.pop()) {
    const [current, pointer, depth] = next
    if (typeof current === 'string') refuseText(current, place, pointer)
    if (typeof current !== 'object' || current === null || current instanceof Blob) continue
    if (depth >= deepest) throw refusal(place, '#', `is nested deeper than ${deepest} levels`)
    for (const [key, child] of Object.entries(current)) {
      const path = `${pointer}/${pointerStep(key)}`
      refuseText(key, place, path)
      open.push([child, path, depth + 1])
    }
  }
}

/**
 * Whether a text of JSON may hold such poison. Raw UTF-8 holds neither NUL in a string nor lone surrogates: both come
 * by an escape. What this clears need not be walked, which costs many times what parsing does.
 *
 * @param text what JSON.parse has taken
 */
export function maybePoison(text: string): boolean {
  return /\\u(?:0000|d[89a-f])/i.test(text) || depthOf(text) > deepest
}

/** How deep arrays and objects stand in one another. */
function depthOf(text: string): number {
  let depth = 0
  let most = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) at = endOfString(text, at)
    else if (code === 0x5b || code === 0x7b) most = Math.max(most, ++depth)
    else if (code === 0x5d || code === 0x7d) depth--
  }
  return most
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x5c) at++
    else if (code === 0x22) return at
  }
  return text.length
}

/**
 * One step of a JSON pointer in a URI fragment.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6901#section-6
 */
export function pointerStep(key: PropertyKey): string {
  return encodeURIComponent(String(key).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1'))
}

function refuseText(text: string, place: ProblemError['in'], pointer: string): void {
  if (text.includes('\0')) throw refusal(place, pointer, 'must not hold a NUL character')
  if (!text.isWellFormed())
    throw refusal(place, pointer, 'must be well-formed Unicode (it holds a lone surrogate)')
}

function refusal(place: ProblemError['in'], pointer: string, detail: string): Problem {
  return new Problem(problems.VALIDATION_FAILED, {
    detail: `The ${place} ${detail}.`,
    errors: [{ detail, in: place, pointer }],
  })
}
