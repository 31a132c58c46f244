import { onServer } from './database.ts'

/**
 * Stops the clock that the runtime's tables have, at a time. Two services of one database may set it at once: PostgreSQL
 * refuses to replace a function that another is replacing, so they take turns.
 */
export async function setDatabaseClock(databaseUrl: string, time: Date): Promise<void> {
  await onServer(
    databaseUrl,
    `do $$ begin
      perform pg_advisory_xact_lock(1);
      create or replace function runtime.service_now() returns timestamptz
        language sql stable parallel safe return timestamptz '${time.toISOString()}';
    end $$`,
  )
}
