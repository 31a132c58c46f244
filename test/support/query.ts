import pg from 'pg'

/** Runs one statement on a connection of its own, which is gone afterwards: for a server that the test stops. */
export async function query(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query(sql)
  } finally {
    await client.end()
  }
}
