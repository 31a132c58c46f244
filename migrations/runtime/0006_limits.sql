CREATE TABLE "runtime"."rates" (
	"name" text NOT NULL,
	"key" text NOT NULL,
	"starts" timestamp with time zone[] NOT NULL,
	"last_due" timestamp with time zone NOT NULL,
	"due" timestamp with time zone,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "rates_name_key_pk" PRIMARY KEY("name","key")
);
--> statement-breakpoint
ALTER TABLE "runtime"."tasks" ADD COLUMN "limit_key" text;--> statement-breakpoint
ALTER TABLE "runtime"."tasks" ADD COLUMN "limit_slot" smallint;--> statement-breakpoint
CREATE INDEX "rates_expired" ON "runtime"."rates" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "tasks_limit_slots" ON "runtime"."tasks" USING btree ("name","limit_key","limit_slot") WHERE "runtime"."tasks"."state" = 'running' and "runtime"."tasks"."limit_slot" > 0;--> statement-breakpoint
CREATE INDEX "tasks_limit" ON "runtime"."tasks" USING btree ("name","limit_key","limit_slot","id") WHERE "runtime"."tasks"."limit_slot" is not null and "runtime"."tasks"."state" in ('pending', 'queued', 'running');--> statement-breakpoint
CREATE INDEX "tasks_limit_order" ON "runtime"."tasks" USING btree ("name","limit_key","id") WHERE "runtime"."tasks"."limit_key" is not null and "runtime"."tasks"."state" in ('pending', 'queued', 'running');
