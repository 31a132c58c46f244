-- Tasks that wait for a place of their key may be many: indexes without them, for what is to be sent, and one of their own. A revision
-- from before finds its rows by other indexes until it is gone, more slowly. On a large table, build them by hand first, with CONCURRENTLY.
CREATE TABLE "runtime"."positions" (
	"sweep" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"key" text NOT NULL
);
--> statement-breakpoint
DROP INDEX "runtime"."tasks_pending";--> statement-breakpoint
DROP INDEX "runtime"."tasks_limit";--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "tasks_unsent" ON "runtime"."tasks" USING btree ("due_at") WHERE "runtime"."tasks"."state" = 'pending' and "runtime"."tasks"."limit_slot" is distinct from -1::smallint;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "tasks_batch_unsent" ON "runtime"."tasks" USING btree ("batch_id","id") WHERE "runtime"."tasks"."batch_id" is not null and "runtime"."tasks"."state" = 'pending' and "runtime"."tasks"."limit_slot" is distinct from -1::smallint;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "tasks_set_aside" ON "runtime"."tasks" USING btree ("name","limit_key","id") WHERE "runtime"."tasks"."state" = 'pending' and "runtime"."tasks"."limit_slot" = -1::smallint;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "tasks_woken" ON "runtime"."tasks" USING btree ("name","limit_key") WHERE "runtime"."tasks"."state" in ('pending', 'queued') and "runtime"."tasks"."limit_slot" = 0::smallint;