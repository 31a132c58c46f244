-- For the lists of operators: the done tasks of a name, and a later page of batches. The other tasks of a name are in `tasks_by_state`. A revision
-- from before lists the tasks of a name more slowly. On a large table, build them by hand first, with CONCURRENTLY.
DROP INDEX "runtime"."batches_finished";--> statement-breakpoint
DROP INDEX "runtime"."tasks_name";--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "batches_by_end" ON "runtime"."batches" USING btree ("finished_at","id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "tasks_done" ON "runtime"."tasks" USING btree ("name","id") WHERE "runtime"."tasks"."state" = 'done';