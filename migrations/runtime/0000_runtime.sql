-- It is there already: the journal of these migrations is in it.
CREATE SCHEMA IF NOT EXISTS "runtime";
--> statement-breakpoint
-- The one clock of the service, by hand: tests replace it to move the time.
CREATE FUNCTION runtime.service_now() RETURNS timestamp with time zone LANGUAGE sql STABLE PARALLEL SAFE RETURN now();
--> statement-breakpoint
CREATE TABLE "runtime"."idempotency_keys" (
	"caller" text NOT NULL,
	"key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"status" integer NOT NULL,
	"headers" jsonb NOT NULL,
	"body" bytea,
	"created_at" timestamp (3) with time zone DEFAULT runtime.service_now() NOT NULL,
	CONSTRAINT "idempotency_keys_caller_key_pk" PRIMARY KEY("caller","key")
);
--> statement-breakpoint
CREATE TABLE "runtime"."schedules" (
	"name" text PRIMARY KEY NOT NULL,
	"last_slot" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "runtime"."tasks" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"payload" jsonb NOT NULL,
	"key" text,
	"dispatch" integer DEFAULT 1 NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"touched_at" timestamp (3) with time zone DEFAULT runtime.service_now() NOT NULL,
	"lease" uuid,
	"leased_until" timestamp (3) with time zone,
	"started_at" timestamp (3) with time zone,
	"unknown_since" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"announced_at" timestamp (3) with time zone,
	"last_error" text,
	"request_id" text,
	"trace_id" text,
	"subject" text,
	"revision" text,
	"created_at" timestamp (3) with time zone DEFAULT runtime.service_now() NOT NULL,
	CONSTRAINT "tasks_state" CHECK ("runtime"."tasks"."state" in ('pending', 'queued', 'running', 'done', 'dead', 'cancelled'))
);
--> statement-breakpoint
CREATE INDEX "idempotency_keys_created_at" ON "runtime"."idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "tasks_key" ON "runtime"."tasks" USING btree ("name","key") WHERE "runtime"."tasks"."state" in ('pending', 'queued', 'running');--> statement-breakpoint
CREATE INDEX "tasks_pending" ON "runtime"."tasks" USING btree ("due_at") WHERE "runtime"."tasks"."state" = 'pending';--> statement-breakpoint
CREATE INDEX "tasks_queued" ON "runtime"."tasks" USING btree ("touched_at") WHERE "runtime"."tasks"."state" = 'queued';--> statement-breakpoint
CREATE INDEX "tasks_running" ON "runtime"."tasks" USING btree ("leased_until") WHERE "runtime"."tasks"."state" = 'running';--> statement-breakpoint
CREATE INDEX "tasks_unannounced" ON "runtime"."tasks" USING btree ("finished_at") WHERE "runtime"."tasks"."state" = 'dead' and "runtime"."tasks"."announced_at" is null;--> statement-breakpoint
CREATE INDEX "tasks_over" ON "runtime"."tasks" USING btree ("finished_at") WHERE "runtime"."tasks"."state" in ('done', 'cancelled');--> statement-breakpoint
CREATE INDEX "tasks_open" ON "runtime"."tasks" USING btree ("state","id") WHERE "runtime"."tasks"."state" <> 'done';--> statement-breakpoint
CREATE INDEX "tasks_name" ON "runtime"."tasks" USING btree ("name","id");