import { readFileSync, writeFileSync } from 'node:fs'

// Git runs this to merge package.json, key by key: `merge-package.ts BASE OURS THEIRS REPORT`. Text would conflict wherever
// both sides add a package next to each other. It writes the result to OURS, and the keys that both changed in two ways to
// REPORT. Then the file has the fork's value, and the status is 1. It imports nothing of the project, which is being merged.

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
interface Versions {
  readonly base: Json | undefined
  readonly ours: Json | undefined
  readonly theirs: Json | undefined
}

const [base = '', ours = '', theirs = '', report = ''] = process.argv.slice(2)
const conflicts: string[] = []
const read = (path: string): Json => JSON.parse(readFileSync(path, 'utf8') || '{}')
const merged = merge('', { base: read(base), ours: read(ours), theirs: read(theirs) })
writeFileSync(ours, `${JSON.stringify(merged, null, 2)}\n`)
writeFileSync(report, conflicts.map((line) => `${line}\n`).join(''))
process.exitCode = conflicts.length > 0 ? 1 : 0

/** A value that one side alone changed is that side's. What the fork took out stays out. */
function merge(path: string, versions: Versions): Json | undefined {
  const { base, ours, theirs } = versions
  if (isSame(ours, theirs) || isSame(base, theirs)) return ours
  if (isSame(base, ours)) return theirs
  if (isObject(ours) && isObject(theirs)) return mergeKeys(path, isObject(base) ? base : {}, ours, theirs)
  if (ours === undefined || theirs === undefined) return ours
  const higher = higherRange(ours, theirs)
  if (higher) return higher
  conflicts.push(`${path}: ${JSON.stringify(ours)} here, ${JSON.stringify(theirs)} in the template`)
  return ours
}

/** New keys of the template stand behind the key that they follow there. */
function mergeKeys(path: string, base: JsonObject, ours: JsonObject, theirs: JsonObject): Json {
  const keys = Object.keys(ours)
  for (const [index, key] of Object.keys(theirs).entries()) {
    if (keys.includes(key)) continue
    const before = Object.keys(theirs)[index - 1]
    keys.splice(before === undefined ? 0 : keys.indexOf(before) + 1, 0, key)
  }
  const entries = keys.map((key): [string, Json | undefined] => {
    const place = path === '' ? key : `${path}.${key}`
    return [key, merge(place, { base: base[key], ours: ours[key], theirs: theirs[key] })]
  })
  return Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== undefined))
}

/** Both took a newer version of a package: the newer of the two. */
function higherRange(ours: Json, theirs: Json): string | undefined {
  const range = /^([\^~]?)\d+\.\d+\.\d+$/
  if (typeof ours !== 'string' || typeof theirs !== 'string') return undefined
  const [one, other] = [range.exec(ours), range.exec(theirs)]
  if (!one || !other || one[1] !== other[1]) return undefined
  return ours.localeCompare(theirs, 'en', { numeric: true }) > 0 ? ours : theirs
}

type JsonObject = { readonly [key: string]: Json }

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSame(one: Json | undefined, other: Json | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
