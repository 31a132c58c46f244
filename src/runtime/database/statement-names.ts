import type { Statement } from './statement.ts'

/** A text is named when it is sent this often: what is sent once is not worth a plan that is kept. */
const namedFrom = 3
/** How many plans a connection keeps at most: each takes some kilobytes of the server's memory. */
const maxNames = 200
/** How many texts are counted at once. Texts that differ with each call must not fill the memory. */
const maxCounted = 1_000

/**
 * Names statements that are sent again and again. PostgreSQL parses and plans a named statement once for each connection,
 * and the others each time. For a short statement that is about half of the server's work (decision 25).
 *
 * Only statements with parameters are named: a text without them may hold several statements, and only unnamed ones may.
 *
 * @see https://www.postgresql.org/docs/current/sql-prepare.html
 */
export class StatementNames {
  /** By text: its name, or nothing if it goes without one from now on. */
  readonly #names = new Map<string, string | undefined>()
  readonly #counts = new Map<string, number>()

  /** The statement with a name, if it has one or is sent often. */
  name(statement: Statement, values: readonly unknown[]): Statement {
    if (statement.name || values.length === 0) return statement
    const { text } = statement
    const name = this.#names.has(text) ? this.#names.get(text) : this.#count(text)
    return name === undefined ? statement : { ...statement, name }
  }

  /** Sends the text without a name from now on: a plan that a connection keeps is no longer valid. */
  forget({ text }: Statement): void {
    if (this.#names.has(text)) this.#names.set(text, undefined)
  }

  #count(text: string): string | undefined {
    if (this.#names.size >= maxNames) return
    const count = (this.#counts.get(text) ?? 0) + 1
    if (count < namedFrom) {
      if (this.#counts.size >= maxCounted) this.#counts.clear()
      this.#counts.set(text, count)
      return
    }
    this.#counts.delete(text)
    const name = `runtime.${this.#names.size + 1}`
    this.#names.set(text, name)
    return name
  }
}
