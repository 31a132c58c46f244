-- For the counts and the list of each state, and the dead of the last hour. On a large table, build them by hand first, with CONCURRENTLY.
CREATE INDEX IF NOT EXISTS "tasks_by_state" ON "runtime"."tasks" USING btree ("state","name","id","due_at") WHERE "runtime"."tasks"."state" <> 'done';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "tasks_dead" ON "runtime"."tasks" USING btree ("finished_at") WHERE "runtime"."tasks"."state" = 'dead';
