import pg from 'pg'

/** What `pg` has, but does not declare in its types. */
interface Wire extends pg.Connection {
  parse(message: { text: string }): void
  bind(message: object): void
  execute(message: object): void
  readonly submittedNamedStatements: Record<string, string>
}
interface Preparable {
  name: string | undefined
  prepare(connection: Wire): void
  handleCommandComplete(message: object, connection: Wire): void
  handleError(error: Error, connection: Wire): void
}
/** What `pg` calls when a query ends. */
export type Done = (error: Error | null, result?: pg.QueryResult) => void

const Query = pg.Query as unknown as new (
  statement: pg.QueryConfig,
  values: unknown[],
  done: Done,
) => Preparable & pg.Submittable

/**
 * BEGIN and the first statement of a transaction, in one message. They have one Sync: if BEGIN fails, PostgreSQL skips the
 * statement. Two queries of `pg` would have one each, and the statement would then run outside of a transaction.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class OpeningQuery extends Query {
  readonly #begin: string
  readonly #statementName: string | undefined
  #begun = false

  /**
   * @param begin the BEGIN statement
   * @param values at least one: `pg` sends a statement without values by another protocol
   */
  constructor(begin: string, statement: pg.QueryConfig, values: unknown[], done: Done) {
    super(statement, values, done)
    this.#begin = begin
    this.#statementName = this.name
  }

  override prepare(connection: Wire): void {
    connection.parse({ text: this.#begin })
    connection.bind({})
    connection.execute({})
    super.prepare(connection)
    this.name = undefined // what the server says of BEGIN must not be taken for the named statement
  }

  override handleCommandComplete(message: object, connection: Wire): void {
    if (this.#begun) super.handleCommandComplete(message, connection)
    this.#begun = true
    this.name = this.#statementName
  }

  override handleError(error: Error, connection: Wire): void {
    if (this.#statementName) delete connection.submittedNamedStatements[this.#statementName]
    super.handleError(error, connection)
  }
}
